//! How a token is written.

use super::{Row, Target, json::open_payload};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ENC-01",
        attack: "padding, the other base64 alphabet, white space, line breaks, percent escapes, Unicode in each part",
        answers: &["400", "400 authorization_malformed", "401 token_malformed"],
        test: "enc_01_other_alphabets",
    },
    Row {
        id: "ENC-02",
        attack: "bits left over that are not zero, in each part of a good token",
        answers: &["401 token_malformed"],
        test: "enc_02_bits_left_over",
    },
    Row {
        id: "ENC-03",
        attack: "0 to 1,000,000 dots, empty parts, dots before and behind a good token",
        answers: &["401 token_malformed", "431", "431 token_too_large"],
        test: "enc_03_dots",
    },
    Row {
        id: "ENC-04",
        attack: "JSON serialization that looks like a compact token to whoever splits at dots",
        answers: &["400 authorization_malformed"],
        test: "enc_04_two_forms_at_once",
    },
];

#[tokio::test]
async fn enc_01_other_alphabets() {
    let mut target = Target::start("ENC-01").await;
    let (header, payload, signature) = target.good().sign_parts();
    let good = format!("{header}.{payload}.{signature}");
    for token in [
        format!("{good}="),
        format!("{good}=="),
        format!("{good}===="),
        format!("{header}/.{payload}.{signature}"),
        format!("{header}.{payload}+.{signature}"),
        format!("{header}.{payload}.~{signature}"),
        good.replace('.', "/"),
        good.replace(['-', '_'], "+").replacen('.', "+.", 1),
    ] {
        target.attack_with(&token, &token).await;
    }
    for inserted in [
        "=", " ", "\t", "?", "%2e", "%00", "\\n", "\"", "'", "{", ",", ";", ":", "&", "\u{a0}",
        "\u{2024}", "\u{feff}", "\u{ff0e}", "\u{200b}", "\u{e9}",
    ] {
        for token in [
            format!("{header}{inserted}.{payload}.{signature}"),
            format!("{header}.{inserted}{payload}.{signature}"),
            format!("{header}.{payload}.{signature}{inserted}x"),
        ] {
            target.attack_with(inserted, token).await;
        }
    }
    for byte in [0x80, 0xff, 0xc3] {
        let value = [b"Bearer ", good.as_bytes(), &[byte]].concat();
        target.attack("not UTF-8", target.whoami().header("authorization", value)).await;
    }
    for cut in ["\r", "\n ", "\r\n ", "\r\n\t", "\0", "\u{1}", "\u{7f}"] {
        let request = target.whoami().token(format!("{header}.{cut}{payload}.{signature}"));
        target.attack_below(cut, request).await;
    }
    // What follows is a header of its own, and the token ends before.
    let split = format!("{header}.{payload}\r\nX-Rest: .{signature}");
    target.attack_with("CR LF", split).await;
    target.finish().await;
}

#[tokio::test]
async fn enc_02_bits_left_over() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    /// The next letters stand for the same bytes, if nobody looks at the bits left over.
    fn respell(part: &str) -> Vec<String> {
        let (start, last) = part.split_at(part.len() - 1);
        let at = ALPHABET.find(last).unwrap();
        let others = if part.len() % 4 == 2 { 15 } else { 3 };
        (1..=others).map(|other| format!("{start}{}", &ALPHABET[at + other..=at + other])).collect()
    }
    let mut target = Target::start("ENC-02").await;
    let kid = target.issuer.current_kid();
    for spaces in ["", " ", "  "] {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":"{kid}"{spaces}}}"#);
        let payload = format!("{}{spaces}}}", open_payload(&target));
        let token = target.good().raw_header(header).raw_payload(payload);
        target.lets_pass("spaces", target.whoami().token(token.sign())).await;
        let (header, payload, signature) = token.sign_parts();
        if header.len() % 4 != 0 {
            for other in respell(&header) {
                target.attack_with("header", format!("{other}.{payload}.{signature}")).await;
            }
        }
        if payload.len() % 4 != 0 {
            for other in respell(&payload) {
                target.attack_with("payload", format!("{header}.{other}.{signature}")).await;
            }
        }
        for other in respell(&signature) {
            target.attack_with("signature", format!("{header}.{payload}.{other}")).await;
        }
        // A length that no bytes have.
        target.attack_with("one letter more", format!("{header}.{payload}.{signature}AAA")).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn enc_03_dots() {
    let mut target = Target::start("ENC-03").await;
    let (header, payload, signature) = target.good().sign_parts();
    let good = format!("{header}.{payload}.{signature}");
    for token in [
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        "a".to_owned(),
        "a.b".to_owned(),
        "a.b.c".to_owned(),
        header.clone(),
        format!("{header}."),
        format!("{header}.."),
        format!("{header}.{payload}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("..{signature}"),
        format!(".{good}"),
        format!("{good}."),
        format!("{good}.."),
        format!("{good}.{good}"),
        format!("{header}..{payload}.{signature}"),
        ".".repeat(16_000),
        ".".repeat(100_000),
        format!("{good}{}", ".".repeat(100_000)),
    ] {
        target.attack_with(&token.chars().take(40).collect::<String>(), &token).await;
    }
    let request = target.whoami().token(".".repeat(1_000_000));
    target.attack_below("a million dots", request).await;
    target.finish().await;
}

#[tokio::test]
async fn enc_04_two_forms_at_once() {
    let mut target = Target::start("ENC-04").await;
    let (header, payload, signature) = target.good().scope("notes:admin").sign_parts();
    for token in [
        format!(r#"{{"x.{header}.{payload}.{signature}":""}}"#),
        format!(r#"{{"{header}.{payload}.{signature}":"","protected":"{header}"}}"#),
        format!(
            r#"{{"  {header}.{payload}.":"","payload":"{payload}","signature":"{signature}"}}"#
        ),
        format!(
            r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}.x.y"#
        ),
        format!(r#"["{header}.{payload}.{signature}"]"#),
        format!(r#""{header}.{payload}.{signature}""#),
    ] {
        target.attack_with(&token, &token).await;
    }
    target.finish().await;
}
