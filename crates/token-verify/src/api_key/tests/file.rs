use super::*;
use crate::record_file::{RecordFileError, RecordProblem};

#[test]
fn a_record_reads_back_what_it_writes() {
    let full = grant()
        .client_id("ci")
        .add_role("robot")
        .label("says \"hi\" \u{1f511}")
        .not_before(at(NOW));
    for (name, record) in [
        ("full", generate(full).1),
        ("small", generate(ApiKeyGrant::new("a").add_audience("b").never_expires()).1),
        ("disabled", generate(grant()).1.disabled()),
        ("a fraction of a second", {
            let odd = at(NOW + 5) + Duration::from_millis(500);
            generate(grant().expires_at(odd)).1
        }),
    ] {
        let line = record.to_line();
        let read = ApiKeyRecord::from_line(&line).unwrap();
        assert_eq!(read.to_line(), line, "{name}");
        assert_eq!(read.is_disabled(), record.is_disabled(), "{name}");
        assert_eq!(read.expires_at(), record.expires_at(), "{name}");
    }
}

fn line() -> String {
    LINE.replace("HASH", &"0".repeat(64))
}

#[test]
fn a_file_error_names_line_and_key_and_no_value() {
    let rows = [
        ("no id", line().replace("\"id\":\"aaaaaaaaaaaaaaaa\",", ""), "line 3: `id` is missing"),
        (
            "a short id",
            line().replace("aaaaaaaaaaaaaaaa", "abc"),
            "line 3: `id` must be 16 letters and digits",
        ),
        ("no hash", line().replace("sha256", "sha265"), "line 3: `sha256` is missing"),
        (
            "a secret for a hash",
            line().replace(&"0".repeat(64), "acme_live_secret"),
            "line 3: `sha256` must be 64 hexadecimal digits in lower case",
        ),
        (
            "no audience",
            line().replace("[\"https://api.example\"]", "[]"),
            "line 3: `audiences` is missing",
        ),
        (
            "an audience that is no list",
            line().replace("[\"https://api.example\"]", "\"https://api.example\""),
            "line 3: `audiences` must be a list of strings of 1 to 2048 bytes without control characters",
        ),
        (
            "no end",
            line().replace(",\"expires_at\":\"never\"", ""),
            "line 3: `expires_at` is missing",
        ),
        (
            "an end in another zone",
            line().replace("\"never\"", "\"2028-01-01T00:00:00+01:00\""),
            "line 3: `expires_at` must be a date in UTC such as `2027-01-31T23:59:59Z`",
        ),
        (
            "a bad scope",
            line().replace('}', ",\"scope\":\"a  b\"}"),
            "line 3: `scope` must be scopes separated by one space each",
        ),
        (
            "disabled as text",
            line().replace('}', ",\"disabled\":\"yes\"}"),
            "line 3: `disabled` must be `true` or `false`",
        ),
        (
            "a misspelled limit",
            line().replace('}', ",\"not_befor\":\"x\"}"),
            "line 3: `not_befor` is no key of such a record",
        ),
        (
            "a secret for a key",
            line().replace('}', ",\"acme_live_aaaaaaaaaaaaaaaa_b\":1}"),
            "line 3: a name that is not shown here is no key of such a record",
        ),
        (
            "a name twice",
            line().replace('}', ",\"subject\":\"bob\"}"),
            "line 3: not one JSON object in which each name is used once",
        ),
        (
            "no JSON",
            "alice".to_owned(),
            "line 3: not one JSON object in which each name is used once",
        ),
        (
            "an id twice",
            line().replace("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"),
            "line 3: `id` is the same as on line 2",
        ),
        (
            "ends before it begins",
            line().replace(
                "\"never\"",
                "\"2027-01-01T00:00:00Z\",\"not_before\":\"2027-01-01T00:00:00Z\"",
            ),
            "line 3: `expires_at` must be after `not_before`",
        ),
    ];
    let first = line().replace("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb");
    for (name, bad, expected) in rows {
        let keys = MemoryApiKeys::new();
        let error = keys.replace_from_text(&format!("# keys\n{first}\n{bad}\n")).unwrap_err();
        assert_eq!(error.to_string(), expected, "{name}");
        assert_eq!(keys.records().len(), 0, "{name}: a bad file is used in part");
    }
}

#[test]
fn a_bad_text_leaves_the_keys_as_they_were() {
    let keys = MemoryApiKeys::with_capacity(1);
    keys.replace_from_text(&line()).unwrap();
    let two = format!("{}\n{}", line(), line().replace("aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"));
    for (name, text, expected) in [
        ("empty", " \n".to_owned(), RecordFileError::Empty),
        ("too many", two, RecordFileError::TooMany { max: 1 }),
        (
            "broken",
            "{".to_owned(),
            RecordFileError::Line { line: 1, problem: RecordProblem::NotAnObject },
        ),
    ] {
        let error = keys.replace_from_text(&text).unwrap_err();
        assert_eq!(error.to_string(), expected.to_string(), "{name}");
        assert_eq!(keys.records().len(), 1, "{name}");
    }
    keys.replace_from_text("# no keys any more\n").unwrap();
    assert_eq!(keys.records().len(), 0);
}
