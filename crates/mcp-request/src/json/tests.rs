use std::fmt;

use proptest::prelude::*;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::*;

fn scan(text: &str) -> Result<Value<'_>, JsonError> {
    let mut scanner = Scanner::new(text);
    let value = scanner.value()?;
    scanner.end()?;
    Ok(value)
}

#[test]
fn well_formed_texts_pass() {
    for text in [
        "{}",
        " [ ] ",
        "0",
        "-0",
        "-1.5e+10",
        "1E5",
        "\t\r\n null \t",
        "true",
        "false",
        r#""""#,
        r#""\"\\\/\b\f\n\r\t\u0000\u00e9\ud83d\ude00""#,
        r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#,
        "\"\u{7f}é\u{10FFFF}\"",
    ] {
        scan(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        serde_json::from_str::<serde_json::Value>(text).unwrap();
    }
}

#[test]
fn malformed_texts_are_refused() {
    for text in [
        "",
        " ",
        "{",
        "}",
        "[",
        "]",
        "{]",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "\"",
        "\"\\\"",
        "\"\n\"",
        "\"\t\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        r#""\ud800\ud800""#,
        "01",
        "-",
        "+1",
        ".5",
        "1.",
        "1.e5",
        "1e",
        "1e+",
        "0x1",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "True",
        "nullx",
        "null null",
        "{} {}",
        "{}//",
        "/**/{}",
        "\u{a0}{}",
        "\u{feff}{}",
        "1\u{0}",
        "1_000",
    ] {
        assert_eq!(scan(text), Err(JsonError::Syntax), "{text}");
        serde_json::from_str::<serde_json::Value>(text).unwrap_err();
    }
}

#[test]
fn mcp_02_a_name_used_twice_is_refused_at_every_depth_and_in_every_spelling() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"a":{}}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"\u0061":1,"\u0061":1}"#,
        r#"{"":1,"":1}"#,
        r#"[[{"x":{"a":1,"a":2}}]]"#,
        r#"{"\ud83d\ude00":1,"😀":1}"#,
    ] {
        assert_eq!(scan(text), Err(JsonError::DuplicateName), "{text}");
    }
}

#[test]
fn names_that_change_what_serde_json_reads_are_refused() {
    for text in [
        r#"{"$serde_json::private::Number":"1"}"#,
        r#"[{"$serde_json::private::RawValue":"{}"}]"#,
        r#"{"\u0024serde_json::private::Number":"1"}"#,
    ] {
        assert_eq!(scan(text), Err(JsonError::PrivateName), "{text}");
    }
}

#[test]
fn nesting_is_bounded() {
    let nested = |open: &str, close: &str, depth| open.repeat(depth) + "1" + &close.repeat(depth);
    assert_eq!(scan(&nested("[", "]", MAX_DEPTH)), Ok(Value::Other));
    assert_eq!(scan(&nested("[", "]", MAX_DEPTH + 1)), Err(JsonError::TooDeep));
    assert_eq!(scan(&nested("{\"a\":", "}", MAX_DEPTH)), Ok(Value::Other));
    assert_eq!(scan(&nested("{\"a\":", "}", MAX_DEPTH + 1)), Err(JsonError::TooDeep));
    assert_eq!(scan(&"[".repeat(1 << 20)), Err(JsonError::TooDeep));
    for sibling in ["[]", "{}", "[1]", r#"{"a":1}"#] {
        let siblings = format!("[{}]", [sibling; 1000].join(","));
        assert_eq!(scan(&siblings), Ok(Value::Other), "depth is not count: {sibling}");
    }
}

#[test]
fn open_names_are_bounded_and_closed_ones_are_forgotten() {
    let members =
        |count: usize| (0..count).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",");
    let object = |count| format!("{{{}}}", members(count));
    assert_eq!(scan(&object(10_000)), Ok(Value::Other));
    assert_eq!(scan(&object(10_001)), Err(JsonError::TooManyNames));
    let inside_another = format!("{{{},\"x\":{}}}", members(5000), object(5001));
    assert_eq!(scan(&inside_another), Err(JsonError::TooManyNames));
    let one_after_another = format!("[{0},{0}]", object(10_000));
    assert_eq!(scan(&one_after_another), Ok(Value::Other));
}

#[test]
fn a_number_beyond_f64_is_the_only_text_that_serde_json_would_refuse() {
    assert_eq!(scan("1e400"), Ok(Value::Number("1e400")));
    serde_json::from_str::<serde_json::Value>("1e400").unwrap_err();
}

// The naive twin: serde_json reads the text, and names are compared one by one.

/// A text as `serde_json` reads it, every member in its place.
#[derive(Debug)]
enum Tree {
    Leaf,
    Text(String),
    Array(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Tree {
    /// Whether a text is acceptable that may open so many more levels.
    fn is_acceptable(&self, levels: usize) -> bool {
        let inside = levels.checked_sub(1);
        match self {
            Self::Leaf | Self::Text(_) => true,
            Self::Array(items) => {
                inside.is_some_and(|levels| items.iter().all(|item| item.is_acceptable(levels)))
            }
            Self::Object(members) => inside.is_some_and(|levels| {
                members.iter().all(|(name, value)| {
                    members.iter().filter(|(other, _)| other == name).count() == 1
                        && !name.starts_with(PRIVATE_TO_SERDE_JSON)
                        && value.is_acceptable(levels)
                })
            }),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TreeVisitor;

        impl<'de> Visitor<'de> for TreeVisitor {
            type Value = Tree;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Tree, E> {
                Ok(Tree::Leaf)
            }

            fn visit_bool<E>(self, _: bool) -> Result<Tree, E> {
                Ok(Tree::Leaf)
            }

            fn visit_i64<E>(self, _: i64) -> Result<Tree, E> {
                Ok(Tree::Leaf)
            }

            fn visit_u64<E>(self, _: u64) -> Result<Tree, E> {
                Ok(Tree::Leaf)
            }

            fn visit_f64<E>(self, _: f64) -> Result<Tree, E> {
                Ok(Tree::Leaf)
            }

            fn visit_str<E>(self, text: &str) -> Result<Tree, E> {
                Ok(Tree::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Tree::Array(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Tree::Object(members))
            }
        }

        deserializer.deserialize_any(TreeVisitor)
    }
}

/// The same text, read by both.
fn compare(text: &str) -> Result<(), TestCaseError> {
    match (scan(text), serde_json::from_str::<Tree>(text)) {
        (Ok(value), Ok(tree)) => {
            prop_assert!(tree.is_acceptable(MAX_DEPTH), "{text}");
            if let (Value::String(raw), Tree::Text(expected)) = (value, &tree) {
                prop_assert_eq!(&raw.decode(), expected);
            }
        }
        (Ok(_), Err(error)) => {
            prop_assert!(error.to_string().starts_with("number out of range"), "{text}: {error}");
        }
        (Err(error), Ok(tree)) => {
            prop_assert_ne!(error, JsonError::Syntax, "{}", text);
            prop_assert!(!tree.is_acceptable(MAX_DEPTH), "{text}: {error}");
        }
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

/// Names from a small set, so that many are used twice, in several spellings.
fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        r#""a""#,
        r#""\u0061""#,
        r#""name""#,
        r#""n\u0061me""#,
        r#""""#,
        r#""é""#,
        r#""\u00E9""#,
        r#""😀""#,
        r#""\ud83d\ude00""#,
        r#""$serde_json::private::Number""#,
    ])
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false", "0", "-1.5e3", "1e999", "\"\""])
            .prop_map(String::from),
        name().prop_map(String::from),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        any::<f64>().prop_map(|number| serde_json::to_string(&number).unwrap()),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
            prop::collection::vec((name(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{name}\t: {value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn agrees_with_its_naive_twin_on_json(text in json()) {
        compare(&text)?;
    }

    #[test]
    fn agrees_with_its_naive_twin_on_what_is_nearly_json(
        text in json(),
        at in any::<prop::sample::Index>(),
        with in prop::sample::select(vec![
            "", "\"", "\\", "{", "}", "[", "]", ",", ":", "0", "-", ".", "e", "u", "\u{0}", " ",
            "\\u00", "\\ud800", "é", "null",
        ]),
    ) {
        let mut characters: Vec<String> = text.chars().map(String::from).collect();
        let at = at.index(characters.len());
        characters[at] = with.to_owned();
        compare(&characters.concat())?;
    }

    #[test]
    fn agrees_with_its_naive_twin_on_anything(text in "[\\[\\]{}\",:0-9eE+\\-. a-z\\\\]{0,40}") {
        compare(&text)?;
    }

    #[test]
    fn decodes_what_serde_json_encodes(text in any::<String>()) {
        compare(&serde_json::to_string(&text).unwrap())?;
    }
}
