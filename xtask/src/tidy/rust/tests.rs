use super::*;

fn code(text: &str) -> Vec<String> {
    Source::parse(text).lines.into_iter().map(|line| line.code.trim().to_owned()).collect()
}

fn bare(text: &str) -> String {
    let lines: Vec<String> = Source::parse(text).lines.into_iter().map(|line| line.bare).collect();
    lines.join("\n")
}

/// The numbers, from 1, of the lines that belong to tests.
fn test_lines(text: &str) -> Vec<usize> {
    let source = Source::parse(text);
    let marked = source.lines.iter().enumerate().filter(|(_, line)| line.test);
    marked.map(|(index, _)| index + 1).collect()
}

#[test]
fn comments_are_not_code() {
    let rows = [
        ("a line comment", "a(); // b()", "a();"),
        ("documentation", "/// b()", ""),
        ("documentation of the module", "//! b()", ""),
        ("a block", "a(); /* b() */ c();", "a();  c();"),
        ("a block in a block", "/* /* b() */ b() */ c();", "c();"),
        ("slashes in a string", r#"let u = "http://x"; // b"#, r#"let u = "http://x";"#),
        ("a quote that is escaped", r#"let u = "\"//"; // b"#, r#"let u = "\"//";"#),
        ("a raw string", r##"let u = r#"// ""#; // b"##, r##"let u = r#"// ""#;"##),
        ("a raw string of bytes", r##"let u = br#"// ""#; // b"##, r##"let u = br#"// ""#;"##),
        ("a raw name", "let r#type = 1; // b", "let r#type = 1;"),
        ("a quote as a char", "let q = '\"'; // b", "let q = '\"';"),
        ("an escaped char", r"let q = '\''; // b", r"let q = '\'';"),
        ("a lifetime", "fn f<'a>(x: &'a str) {} // b", "fn f<'a>(x: &'a str) {}"),
    ];
    for (name, text, expected) in rows {
        assert_eq!(code(text), [expected], "{name}");
    }
}

#[test]
fn bare_code_has_no_text_in_quotes() {
    assert_eq!(bare(r#"f("StatusCode::OK", b'{', '}')"#), r#"f("", b'', '')"#);
    assert_eq!(bare("f(r#\"a\nb\"#, x)"), "f(r#\"\n\"#, x)");
}

#[test]
fn a_comment_is_kept_apart_and_documentation_is_not_a_comment() {
    let source = Source::parse("a(); // why\n/// what\nb();");
    let comments: Vec<&str> = source.lines.iter().map(|line| line.comment.as_str()).collect();
    assert_eq!(comments, ["// why", "", ""]);
}

#[test]
fn only_what_is_compiled_for_tests_alone_is_a_test() {
    let rows: &[(&str, &str, &[usize])] = &[
        ("a module", "a();\n#[cfg(test)]\nmod tests {\n  fn f() {}\n}\nb();", &[2, 3, 4, 5]),
        ("all", "#[cfg(all(test, unix))]\nfn f() {}\nb();", &[1, 2]),
        ("any also ships", "#[cfg(any(test, feature = \"x\"))]\nfn f() {}", &[]),
        ("not", "#[cfg(not(test))]\nfn f() {}", &[]),
        ("all, but not", "#[cfg(all(not(test), unix))]\nfn f() {}", &[]),
        (
            "another attribute between",
            "#[cfg(test)]\n#[must_use]\nfn f() {\n}\nb();",
            &[1, 2, 3, 4],
        ),
        ("a use", "#[cfg(test)]\nuse a::{b, c};\nb();", &[1, 2]),
        ("an array type", "#[cfg(test)]\nconst A: [u8; 2] =\n  [1, 2];\nb();", &[1, 2, 3]),
        ("a brace in a string", "#[cfg(test)]\nmod t {\n  f(\"}\");\n}\nb();", &[1, 2, 3, 4]),
        ("a field", "struct S {\n  #[cfg(test)]\n  a: u8,\n}\nb();", &[2, 3]),
        ("the whole file", "#![cfg(test)]\nfn f() {}\nfn g() {}", &[1, 2, 3]),
        ("in a comment", "// #[cfg(test)]\nfn f() {}", &[]),
    ];
    for (name, text, expected) in rows {
        assert_eq!(test_lines(text), *expected, "{name}");
    }
}

#[test]
fn a_test_module_in_another_file_is_named() {
    let source = Source::parse("#[cfg(test)]\npub(crate) mod support;\nmod real;");
    assert_eq!(source.test_modules, ["support"]);
}

#[test]
fn words_know_their_surroundings() {
    let all: Vec<&str> = words("tokio::spawn(f_1)").map(|word| word.text).collect();
    assert_eq!(all, ["tokio", "spawn", "f_1"]);

    let spawn = words("tokio::spawn(f_1)").nth(1).expect("two words");
    assert_eq!((spawn.before, spawn.after), ("tokio::", "(f_1)"));
}
