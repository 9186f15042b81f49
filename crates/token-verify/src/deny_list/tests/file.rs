use super::*;

#[test]
fn a_list_is_read_from_text() {
    let text = r#"
# as in the documentation
{"subject":"alice","issuer":"https://as.example","issued_before":"2027-01-15T08:00:00Z","label":"laptop"}
{"subject":"bob"}
{"client_id":"web","until":"2027-01-15T08:00:01Z"}
{"client_id":"web","issuer":"https://as.example"}
{"token_id":"t1","issuer":"https://other.example"}
{"issuer":"https://evil.example"}
  {"address":"192.0.2.0/24"}
"#;
    let list = list_of([]);
    list.feed(WhenStale::KeepLastGood).replace_from_text(text).unwrap();
    assert_eq!(list.len(), 7);
    let principal = |issuer: &str, subject: &str| Principal::assert_verified(issuer, subject);
    for (name, principal, expected) in [
        ("issued before", principal(AS, "alice").issued_at(at(NOW - 1)), Some("subject")),
        ("issued after", principal(AS, "alice").issued_at(at(NOW)), None),
        ("any bob", principal("https://other.example", "bob"), Some("subject")),
        ("a client", principal(AS, "carol").client_id("web"), Some("client")),
        ("a token", principal("https://other.example", "carol").token_id("t1"), Some("token")),
        ("an issuer", principal("https://evil.example", "carol"), Some("issuer")),
    ] {
        assert_eq!(found(&list, &principal.build()), expected, "{name}");
    }
    let told = list.check(&principal(AS, "alice").build()).unwrap_err();
    assert_eq!(told.to_string(), "the deny list has the subject: laptop");
    assert!(list.check_address(from("192.0.2.7")).is_err());
}

#[test]
fn a_bad_file_keeps_the_last_good_list_and_its_error_names_line_and_key() {
    let two = "the line names two things to deny; write a line for each";
    let nothing =
        "the line denies nothing; name a `subject`, `client_id`, `token_id`, `address` or `issuer`";
    let ip = "`address` must be an IP address, or the first of a network and its prefix length, such as `192.0.2.0/24`";
    let date = "`until` must be a date in UTC such as `2027-01-31T23:59:59Z`";
    let before = "`issued_before` says nothing about an address or a single token; leave it out";
    let text = "must be a string of 1 to 2048 bytes without control characters";
    let subject = format!("`subject` {text}");
    let rows = [
        ("nothing", r#"{"label":"x"}"#, nothing),
        ("no members", "{}", nothing),
        ("two", r#"{"subject":"a","client_id":"b"}"#, two),
        ("an address of an issuer", r#"{"address":"192.0.2.7","issuer":"x"}"#, two),
        ("a token of nobody", r#"{"token_id":"a"}"#, "`issuer` is missing"),
        ("no address", r#"{"address":"192.0.2.7/24"}"#, ip),
        ("an empty subject", r#"{"subject":""}"#, &subject),
        ("a subject that is a number", r#"{"subject":7}"#, &subject),
        ("no date", r#"{"subject":"a","until":"tomorrow"}"#, date),
        ("a number for a date", r#"{"subject":"a","until":1800000000}"#, date),
        (
            "a token of before",
            r#"{"token_id":"a","issuer":"b","issued_before":"2027-01-15T08:00:00Z"}"#,
            before,
        ),
        (
            "a misspelled limit",
            r#"{"subject":"a","untill":"x"}"#,
            "`untill` is no key of such a record",
        ),
        (
            "a name twice",
            r#"{"subject":"a","subject":"b"}"#,
            "not one JSON object in which each name is used once",
        ),
        (
            "a comma too many",
            r#"{"subject":"a"},"#,
            "not one JSON object in which each name is used once",
        ),
        ("a list", r#"["a"]"#, "not one JSON object in which each name is used once"),
    ];
    let list = list_of([]);
    let feed = list.feed(WhenStale::KeepLastGood);
    feed.replace_from_text(r#"{"subject":"alice"}"#).unwrap();
    for (name, line, expected) in rows {
        let error =
            feed.replace_from_text(&format!("{{\"subject\":\"bob\"}}\n{line}\n")).unwrap_err();
        assert_eq!(error.to_string(), format!("line 2: {expected}"), "{name}");
        assert_eq!((list.len(), found(&list, &alice().build())), (1, Some("subject")), "{name}");
    }
    let error = feed.replace_from_text("\n").unwrap_err().to_string();
    let empty = "the file is empty, as a file is that is just being written; if nothing is meant, write a line that begins with `#`";
    assert_eq!(error, empty);
    let many: String = (0..101).map(|n| format!("{{\"subject\":\"s{n}\"}}\n")).collect();
    let error = feed.replace_from_text(&many).unwrap_err().to_string();
    assert_eq!(error, "the file holds more than 100 records; remove what is over, or allow more");
    assert_eq!(found(&list, &alice().build()), Some("subject"));
    feed.replace_from_text("# nobody").unwrap();
    assert_eq!(found(&list, &alice().build()), None);
}
