use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{check_table, is_malformed};
use crate::{
    BearerToken, Rejection,
    testing::{AUDIENCE, ISSUER, NOW, issuer, rejection, verifier},
};

#[test]
fn enc_01_only_base64url_is_read() {
    let issuer = issuer();
    let (header, payload, signature) = issuer.mint().sign_parts();
    assert_eq!(rejection(&verifier(&issuer), &format!("{header}.{payload}.{signature}")), None);
    let (_, rest) = signature.split_at(1);
    for token in [
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{signature}=="),
        format!("{header}.{payload}.+{rest}"),
        format!("{header}.{payload}./{rest}"),
        format!("{header}.{payload}.~{signature}"),
    ] {
        assert!(is_malformed(&verifier(&issuer), &token), "{token}");
    }
    for token in
        ["a\nb", "a b", "a\tb", "a%2eb", "a?b", "a\u{2024}b", "{\"a\":1}", "a\0b", "a=.b.c", ""]
    {
        assert!(BearerToken::parse(token).is_err(), "{token:?} never gets so far");
    }
}

#[test]
fn enc_02_bits_that_mean_nothing_must_be_zero() {
    let issuer = issuer();
    // 64 bytes leave four bits over: the last character has 16 spellings, and one is right.
    let (header, payload, signature) = issuer.mint().sign_parts();
    let (start, last) = signature.split_at(signature.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let position = alphabet.find(last).unwrap();
    assert_eq!(position % 16, 0);
    for (other, last) in alphabet.chars().skip(position).take(16).enumerate().skip(1) {
        let token = format!("{header}.{payload}.{start}{last}");
        assert!(is_malformed(&verifier(&issuer), &token), "+{other}");
    }
}

#[test]
fn enc_03_and_hdr_11_a_token_has_three_parts() {
    let issuer = issuer();
    let (header, payload, signature) = issuer.mint().sign_parts();
    for token in [
        header.clone(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}."),
        format!(".{header}.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}.{signature}"),
        format!("{header}..{payload}.{signature}"),
        ".".into(),
        "..".into(),
        "....".into(),
        ".".repeat(16 * 1024),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
    ] {
        assert!(is_malformed(&verifier(&issuer), &token), "{token}");
    }
}

/// A payload that is good but for what is inserted.
fn payload_with(members: &str) -> String {
    format!(
        r#"{{"iss":"{ISSUER}","sub":"alice","aud":"{AUDIENCE}","iat":{NOW},"exp":{}{members}}}"#,
        NOW + 60
    )
}

#[test]
fn enc_05_a_name_that_is_used_twice_spoils_the_token() {
    let issuer = issuer();
    let good =
        issuer.mint().raw_payload(payload_with(r#","scope":"read","x":{"a":1},"y":{"a":1}"#));
    assert_eq!(rejection(&verifier(&issuer), &good.sign()), None);
    for members in [
        format!(r#","iss":"{ISSUER}""#),
        r#","sub":"alice""#.to_owned(),
        format!(r#","aud":"{AUDIENCE}""#),
        format!(r#","exp":{}"#, NOW + 60),
        r#","scope":"read","scope":"admin""#.to_owned(),
        r#","scope":"read","\u0073cope":"admin""#.to_owned(),
        r#","\u0069\u0073\u0073":"https://evil.example""#.to_owned(),
        r#","act":{"sub":"a","sub":"b"}"#.to_owned(),
        r#","act":{"sub":"a","act":{"sub":"b","\u0073ub":"c"}}"#.to_owned(),
        r#","unknown":{"a":1,"a":1}"#.to_owned(),
        r#","unknown":[{"a":[{"b":1,"b":2}]}]"#.to_owned(),
    ] {
        let token = issuer.mint().raw_payload(payload_with(&members)).sign();
        assert!(is_malformed(&verifier(&issuer), &token), "{members}");
    }
    for header in [
        r#"{"alg":"ES256","alg":"ES256","typ":"at+jwt","kid":"ES256-1"}"#,
        r#"{"alg":"none","\u0061lg":"ES256","typ":"at+jwt","kid":"ES256-1"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"ES256-1","kid":"ES256-1"}"#,
        r#"{"alg":"ES256","typ":"at+jwt","kid":"ES256-1","jwk":{"x":1,"x":2}}"#,
    ] {
        let token = issuer.mint().raw_header(header).sign();
        assert!(is_malformed(&verifier(&issuer), &token), "{header}");
    }
}

#[test]
fn enc_06_and_09_header_and_payload_are_one_json_object() {
    let issuer = issuer();
    let deep = |open: &str, close: &str, depth: usize| {
        payload_with(&format!(r#","x":{}1{}"#, open.repeat(depth), close.repeat(depth)))
    };
    let good = payload_with("");
    let utf_16: Vec<_> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut not_utf_8 = payload_with(r#","x":"?""#).into_bytes();
    *not_utf_8.iter_mut().rfind(|byte| **byte == b'?').unwrap() = 0xff;
    let rows: [(&str, Vec<u8>); 25] = [
        ("array", b"[]".into()),
        ("array around it", format!("[{good}]").into()),
        ("string", b"\"x\"".into()),
        ("number", b"1".into()),
        ("null", b"null".into()),
        ("nothing", Vec::new()),
        ("white space", b"  ".into()),
        ("garbage behind", format!("{good}x").into()),
        ("two objects", format!("{good}{good}").into()),
        ("NUL behind", format!("{good}\0").into()),
        ("trailing comma", payload_with(",").into()),
        ("comment", payload_with("/**/").into()),
        ("single quotes", payload_with(",'x':1").into()),
        ("byte order mark", format!("\u{feff}{good}").into()),
        ("utf-16", utf_16),
        ("not utf-8", not_utf_8),
        ("lone surrogate", payload_with(r#","x":"\ud800""#).into()),
        ("NUL in a name", payload_with(r#","x\u0000":1"#).into()),
        ("raw control character", payload_with(",\"x\":\"\n\"").into()),
        ("NaN", payload_with(r#","x":NaN"#).into()),
        ("1E400", payload_with(r#","x":1E400"#).into()),
        ("hexadecimal", payload_with(r#","x":0x10"#).into()),
        ("leading zero", payload_with(r#","x":01"#).into()),
        ("too deep, arrays", deep("[", "]", 32).into()),
        ("too deep, objects", deep(r#"{"a":"#, "}", 32).into()),
    ];
    for (name, payload) in rows {
        let token = issuer.mint().raw_payload(payload.clone()).sign();
        assert!(is_malformed(&verifier(&issuer), &token), "payload: {name}");
        let token = issuer.mint().raw_header(payload).sign();
        assert!(is_malformed(&verifier(&issuer), &token), "header: {name}");
    }
    let token = issuer.mint().raw_payload(deep("[", "]", 31)).sign();
    assert_eq!(rejection(&verifier(&issuer), &token), None, "deep, and not too deep");
    let unopened = "[".repeat(10_000);
    let token = issuer.mint().raw_payload(unopened).sign();
    assert!(is_malformed(&verifier(&issuer), &token), "does not overflow the stack");
}

#[test]
fn enc_07_names_and_values_are_compared_as_they_are() {
    let issuer = issuer();
    let verifier = verifier(&issuer);
    // A full-width s, and a Cyrillic a.
    let token = issuer.mint().claim("\u{ff53}cope", "admin").subject("\u{430}dmin").sign();
    let principal = crate::testing::verdict(&verifier, &token).unwrap();
    assert!(principal.scopes().is_empty());
    assert_ne!(principal.subject(), "admin");
}

#[test]
fn enc_08_sizes_and_counts_are_bounded() {
    let issuer = issuer();
    let unbounded = verifier(&issuer).max_token_bytes(64 * 1024 * 1024);
    let long = issuer.mint().claim("x", "x".repeat(16 * 1024)).sign();
    assert!(is_malformed(&verifier(&issuer), &long));
    assert_eq!(rejection(&unbounded, &long), None);
    let many = issuer.mint().claim("x", vec![0; 5000]).sign();
    assert!(is_malformed(&unbounded, &many));
    let audiences = issuer.mint().claim("aud", vec![AUDIENCE; 65]).sign();
    let rows = [("65 audiences", audiences, Some(Rejection::invalid("aud")))];
    check_table(&unbounded, rows);
    let audiences = issuer.mint().claim("aud", vec![AUDIENCE; 64]).sign();
    assert_eq!(rejection(&unbounded, &audiences), None);
}

#[test]
fn alg_11_and_enc_04_json_serialization_is_not_read() {
    let issuer = issuer();
    let (header, payload, signature) = issuer.mint().sign_parts();
    let flattened = json!({ "protected": header, "payload": payload, "signature": signature });
    BearerToken::parse(&flattened.to_string()).unwrap_err();
    let encoded = URL_SAFE_NO_PAD.encode(flattened.to_string());
    assert!(is_malformed(&verifier(&issuer), &encoded));
}
