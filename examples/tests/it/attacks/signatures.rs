//! Signatures.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_test_issuer::{Signature, SigningAlgorithm, TestIssuer};
use serde_json::json;

use super::{MARKER, Row, Target, rsa};

pub(super) const ROWS: &[Row] = &[
    Row {
        id: "ALG-04",
        attack: "no signature, zeros, one byte more or less, another token's, or of other claims",
        answers: &["401 signature_bad", "401 token_malformed"],
        test: "alg_04_bent_signatures",
    },
    Row {
        id: "ALG-05",
        attack: "ECDSA with r and s out of 0, 1, n-1, n, 2^256-1",
        answers: &["401 signature_bad"],
        test: "alg_05_psychic_signatures",
    },
    Row {
        id: "ALG-06",
        attack: "a good ECDSA signature as DER, with s before r, little endian, with leading zeros, in hex",
        answers: &["401 signature_bad"],
        test: "alg_06_der_instead_of_jose",
    },
    Row {
        id: "ALG-07",
        attack: "RSA by the right key over other paddings: garbage, long lengths, missing NULL, bare digest, s + n",
        answers: &["401 signature_bad"],
        test: "alg_07_rsa_paddings",
    },
    Row {
        id: "ALG-08",
        attack: "Ed25519 with S + L; tokens that verify with a published key of small order",
        answers: &["401 key_unknown", "401 signature_bad"],
        test: "alg_08_ed25519_malleability",
    },
];

#[tokio::test]
async fn alg_04_bent_signatures() {
    use SigningAlgorithm as Alg;
    let issuer = TestIssuer::builder().add_key(Alg::RS256).add_key(Alg::EdDSA);
    let mut target = Target::start_with("ALG-04", issuer).await;
    for algorithm in [Alg::ES256, Alg::RS256, Alg::EdDSA] {
        let good = target.good().algorithm(algorithm);
        let bent = [
            Signature::Empty,
            Signature::Zeros,
            Signature::Truncated,
            Signature::Extended,
            Signature::Bytes(vec![1]),
            Signature::Bytes(vec![0xff; 64]),
            Signature::Bytes(vec![0xff; 256]),
            Signature::Bytes(vec![1; 8192]),
            Signature::Bytes(MARKER.into()),
        ];
        for signature in bent {
            let variant = format!("{algorithm} {signature:?}");
            target.attack_with(&variant, good.clone().signature(signature).sign()).await;
        }
        let (header, payload, signature) = good.sign_parts();
        let (_, other, _) = good.clone().scope("notes:write notes:admin").sign_parts();
        target.attack_with("other claims", format!("{header}.{other}.{signature}")).await;
        let (other, _, _) = good.clone().header("typ", "application/at+jwt").sign_parts();
        target.attack_with("other header", format!("{other}.{payload}.{signature}")).await;
        target.attack_with("foreign", good.clone().signed_with_foreign_key().sign()).await;
        target.attack_with("no third part", format!("{header}.{payload}")).await;
        target.attack_with("twice", format!("{header}.{payload}.{signature}{signature}")).await;
    }
    let good = target.good().sign();
    for at in (0..good.len()).step_by(7).filter(|at| &good[*at..=*at] != ".") {
        let letter = if &good[at..=at] == "A" { "B" } else { "A" };
        let other = format!("{}{letter}{}", &good[..at], &good[at + 1..]);
        let answer = target.ask(target.whoami().token(&other)).await;
        assert_eq!(answer.status, 401, "letter {at}: {answer:?}");
    }
    // Whether the claims are good must make no difference before the signature is known to be.
    for expiry in [0, target.issuer.now() + 300] {
        let forged = target.good().expires_at(expiry).audience("nobody").signed_with_foreign_key();
        let answer = target.attack_with("forged", forged.sign()).await;
        assert_eq!(answer.summary(), "401 signature_bad");
    }
    target.finish().await;
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6,
    0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[tokio::test]
async fn alg_05_psychic_signatures() {
    let mut target = Target::start("ALG-05").await;
    let mut one = [0; 32];
    one[31] = 1;
    let mut before_n = N;
    before_n[31] -= 1;
    let numbers = [[0; 32], one, before_n, N, [0xff; 32]];
    for r in numbers {
        for s in numbers {
            let token = target.good().signature(Signature::Bytes([r, s].concat()));
            target.attack_with(&format!("{r:?} {s:?}"), token.sign()).await;
        }
    }
    // By the standard, (r, n - s) is as good as (r, s). Nothing here remembers tokens by their bytes.
    let (header, payload, signature) = target.good().sign_parts();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0;
    for (s, n) in signature[32..].iter_mut().zip(N).rev() {
        let difference = 256 + i32::from(n) - i32::from(*s) - borrow;
        (*s, borrow) = (difference.to_le_bytes()[0], i32::from(difference < 256));
    }
    let mirrored = format!("{header}.{payload}.{}", URL_SAFE_NO_PAD.encode(signature));
    target.lets_pass("n - s", target.whoami().token(mirrored)).await;
    target.finish().await;
}

#[tokio::test]
async fn alg_06_der_instead_of_jose() {
    fn der(number: &[u8]) -> Vec<u8> {
        let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        let sign = if number[0] >= 0x80 { vec![0] } else { vec![] };
        [vec![2, u8::try_from(number.len() + sign.len()).unwrap()], sign, number.to_vec()].concat()
    }
    let mut target = Target::start("ALG-06").await;
    let (header, payload, signature) = target.good().sign_parts();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (r, s) = signature.split_at(32);
    let integers = [der(r), der(s)].concat();
    let reversed = |number: &[u8]| number.iter().rev().copied().collect::<Vec<_>>();
    let variants = [
        ("DER", [vec![0x30, u8::try_from(integers.len()).unwrap()], integers].concat()),
        ("s before r", [s, r].concat()),
        ("little endian", [reversed(r), reversed(s)].concat()),
        ("leading zeros", [&[0], r, &[0], s].concat()),
        ("the length of P-384", [&[0; 16], r, &[0; 16], s].concat()),
        ("hex", signature.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()),
    ];
    for (variant, signature) in variants {
        let signature = URL_SAFE_NO_PAD.encode(signature);
        target.attack_with(variant, format!("{header}.{payload}.{signature}")).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn alg_07_rsa_paddings() {
    const INFO: &[u8] = rsa::DIGEST_INFO;
    let issuer = TestIssuer::builder().start().await.unwrap();
    issuer.publish_raw_key(rsa::jwk("by-hand", "AQAB"));
    let mut target = Target::start_cold("ALG-07", issuer).await;
    let good = rsa::sign(target.good(), "by-hand", rsa::encode);
    target.lets_pass("the right padding", target.whoami().token(good)).await;

    let filled = |start: &[u8], filler: u8, len: usize, end: &[u8]| {
        let garbage = vec![0x5a; rsa::LEN - start.len() - len - end.len()];
        [start, &vec![filler; len], end, &garbage].concat()
    };
    let without_null: &[u8] =
        &[0x30, 0x2f, 0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 4, 0x20];
    let long_length = [&[0x30, 0x81, 0x31], &INFO[2..]].concat();
    let long_null = [&[0x30, 0x33, 0x30, 0x0f], &INFO[4..15], &[5, 2, 0, 0, 4, 0x20]].concat();
    let mut of_sha_512 = INFO.to_vec();
    of_sha_512[14] = 3;
    let tail = |digest: &[u8]| [&[0], INFO, digest].concat();
    type Encode<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;
    let variants: [(&str, Encode<'_>); 14] = [
        ("no NULL", &|digest| rsa::pad(&[without_null, digest].concat())),
        ("a long length", &|digest| rsa::pad(&[&long_length, digest].concat())),
        ("a long NULL", &|digest| rsa::pad(&[&long_null, digest].concat())),
        ("the name of SHA-512", &|digest| rsa::pad(&[&of_sha_512, digest].concat())),
        ("a bare digest", &|digest| rsa::pad(digest)),
        ("an octet string", &|digest| rsa::pad(&[&[4, 0x20], digest].concat())),
        ("the digest twice", &|digest| rsa::pad(&[INFO, digest, digest].concat())),
        ("garbage behind", &|digest| filled(&[0, 1], 0xff, 8, &tail(digest))),
        ("garbage behind, no filler", &|digest| filled(&[0, 1], 0xff, 0, &tail(digest))),
        ("filler of zeros", &|digest| {
            let mut block = rsa::encode(digest);
            block[2..100].fill(0);
            block
        }),
        ("one other filler byte", &|digest| {
            let mut block = rsa::encode(digest);
            block[9] = 0xfe;
            block
        }),
        ("block type 2", &|digest| {
            let mut block = rsa::encode(digest);
            block[1] = 2;
            block
        }),
        ("no separator", &|digest| {
            let mut block = rsa::encode(digest);
            let separator = rsa::LEN - INFO.len() - digest.len() - 1;
            block[separator] = 0xff;
            block
        }),
        ("another digest", &|digest| {
            let other: Vec<u8> = digest.iter().map(|byte| !byte).collect();
            rsa::pad(&[INFO, &other].concat())
        }),
    ];
    for (variant, encode) in variants {
        let token = rsa::sign(target.good(), "by-hand", encode);
        target.attack_with(variant, token).await;
    }
    let (token, block) = rsa::block(target.good(), "by-hand", rsa::encode);
    let signature = rsa::power(&block);
    let larger = rsa::plus_modulus(&signature).unwrap_or_else(|| vec![0xff; rsa::LEN]);
    target.attack_with("s + n", token.clone().signature(Signature::Bytes(larger)).sign()).await;
    for signature in [block, [vec![0], signature.clone()].concat(), signature[1..].to_vec()] {
        let token = token.clone().signature(Signature::Bytes(signature));
        target.attack_with("no signature at all", token.sign()).await;
    }
    target.finish().await;
}

#[tokio::test]
async fn alg_08_ed25519_malleability() {
    /// The order of the base point, little endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let issuer = TestIssuer::builder().add_key(SigningAlgorithm::EdDSA).start().await.unwrap();
    // Points of order 4, 1 and 2. The first is what a key is that nobody filled in.
    let zero = [0; 32];
    let mut identity = zero;
    identity[0] = 1;
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let points = [("zero", zero), ("identity", identity), ("minus-one", minus_one)];
    for (kid, point) in points {
        let x = URL_SAFE_NO_PAD.encode(point);
        issuer.publish_raw_key(json!({ "kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x }));
    }
    let mut target = Target::start_cold("ALG-08", issuer).await;
    let good = target.good().algorithm(SigningAlgorithm::EdDSA);
    target.lets_pass("as it should be", target.whoami().token(good.sign())).await;

    let (_, _, signature) = good.sign_parts();
    let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (byte, addend) in signature[32..].iter_mut().zip(L) {
        carry += u16::from(*byte) + u16::from(addend);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    target.attack_with("S + L", good.clone().signature(Signature::Bytes(signature)).sign()).await;

    // With a key of order h, one in h messages verifies with S = 0 and R = -hA, which is one of h points: nobody
    // needs a secret, only a few tries. So such keys are not imported.
    for (kid, point) in points {
        for message in 0..16 {
            let token = good
                .clone()
                .header("kid", kid)
                .claim("jti", format!("{message}"))
                .signature(Signature::Bytes([point, zero].concat()));
            target.attack_with(kid, token.sign()).await;
        }
    }
    target.finish().await;
}
