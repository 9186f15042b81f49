//! RFC 7517, and which keys the crate says it uses, with school mathematics.

use num_bigint::BigUint;

use crate::{
    base64url::decode,
    json::{self, Bounds, Json},
};

const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Names and algorithms of the usable keys, in order. `None` if there are none.
pub fn jwk_set(text: &str) -> Option<Vec<(Option<String>, &'static str)>> {
    if text.len() > 512 * 1024 {
        return None;
    }
    let set = json::object(text.as_bytes(), &Bounds { depth: 64, values: 16 * 1024 })?;
    let keys = set.get("keys")?.array()?;
    if keys.len() > 100 {
        return None;
    }
    let mut usable = Vec::new();
    for key in keys {
        if let Some(algorithm) = algorithm_of(key)
            && !keys.iter().any(|other| is_private(other) && is_same(other, key))
        {
            let kid = key.get("kid").and_then(Json::text).map(str::to_owned);
            usable.push((kid, algorithm));
        }
    }
    let mut found = Vec::new();
    for (kid, algorithm) in &usable {
        let namesakes = usable.iter().filter(|(other, _)| other == kid).count();
        if kid.is_some() && namesakes == 1 {
            found.push((kid.clone(), *algorithm));
        }
    }
    let nameless: Vec<_> = usable.iter().filter(|(kid, _)| kid.is_none()).collect();
    if found.is_empty() && nameless.len() == 1 {
        found.push(nameless[0].clone());
    }
    found.sort();
    (!found.is_empty()).then_some(found)
}

fn is_private(key: &Json) -> bool {
    key.get("kty").and_then(Json::text) != Some("oct")
        && PRIVATE.iter().any(|name| key.get(name).is_some())
}

fn is_same(left: &Json, right: &Json) -> bool {
    ["kid", "n", "x"].iter().any(|name| {
        let text = |key: &Json| key.get(name).and_then(Json::text).map(str::to_owned);
        text(left).is_some() && text(left) == text(right)
    })
}

/// The one algorithm that a key verifies. `None` if it is not usable.
fn algorithm_of(key: &Json) -> Option<&'static str> {
    let text = |name| key.get(name).and_then(Json::text);
    let is_text_or_nothing =
        |name: &&str| matches!(key.get(name), None | Some(Json::Null | Json::Text(_)));
    let is_list_or_nothing = |name: &&str| match key.get(name) {
        None | Some(Json::Null) => true,
        Some(Json::Array(entries)) => entries.iter().all(|entry| entry.text().is_some()),
        Some(_) => false,
    };
    let is_well_formed = ["kid", "use", "x5u", "x5t", "x5t#S256"].iter().all(is_text_or_nothing)
        && ["key_ops", "x5c"].iter().all(is_list_or_nothing);
    let is_long = text("kid").is_some_and(|kid| kid.len() > 256);
    if !is_well_formed || is_long || PRIVATE.iter().any(|name| key.get(name).is_some()) {
        return None;
    }
    if text("use").is_some_and(|how| how != "sig") {
        return None;
    }
    if let Some(Json::Array(operations)) = key.get("key_ops")
        && !operations.iter().any(|operation| operation.text() == Some("verify"))
    {
        return None;
    }
    let label = match key.get("alg") {
        None => None,
        Some(Json::Text(label)) => Some(label.as_str()),
        Some(_) => return None,
    };
    match (text("kty")?, text("crv")) {
        ("EC", Some("P-256")) => {
            let is_good =
                is_on_curve(&P256, text("x")?, text("y")?) && matches!(label, None | Some("ES256"));
            is_good.then_some("ES256")
        }
        ("EC", Some("P-384")) => {
            let is_good =
                is_on_curve(&P384, text("x")?, text("y")?) && matches!(label, None | Some("ES384"));
            is_good.then_some("ES384")
        }
        ("EC", Some("P-521")) => {
            let is_good =
                is_on_curve(&P521, text("x")?, text("y")?) && matches!(label, None | Some("ES512"));
            is_good.then_some("ES512")
        }
        ("OKP", Some("Ed25519")) => {
            let is_good = is_strong_edwards_point(text("x")?)
                && matches!(label, None | Some("EdDSA" | "Ed25519"));
            is_good.then_some("Ed25519")
        }
        ("RSA", _) => {
            const LABELS: [&str; 6] = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
            let label = LABELS.into_iter().find(|known| *known == label.unwrap_or("RS256"))?;
            let number = |name| Some(BigUint::from_bytes_be(&decode(text(name)?)?));
            let (n, e) = (number("n")?, number("e")?);
            let is_good = (2048..=4096).contains(&n.bits())
                && n.bit(0)
                && e.bit(0)
                && e >= BigUint::from(65_537_u32)
                && e < BigUint::from(1_u64 << 33)
                && !is_roca(&n);
            is_good.then_some(label)
        }
        _ => None,
    }
}

/// y² = x³ - 3x + b modulo p (FIPS 186-5, SP 800-186 §3.2.1).
struct Curve {
    bytes: usize,
    p: &'static str,
    b: &'static str,
}

const P256: Curve = Curve {
    bytes: 32,
    p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
};

const P384: Curve = Curve {
    bytes: 48,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff",
    b: "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
};

const P521: Curve = Curve {
    bytes: 66,
    p: "1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    b: "051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
};

/// Made by the generator of CVE-2017-15361: a power of 65537 modulo each of the first primes but 2.
fn is_roca(n: &BigUint) -> bool {
    let is_prime = |number: &u32| (2..*number).all(|divisor| number % divisor != 0);
    (3..=701_u32).filter(is_prime).all(|prime| {
        let rest = n % prime;
        (0..prime)
            .any(|power| BigUint::from(65_537_u32).modpow(&power.into(), &prime.into()) == rest)
    })
}

fn hex(text: &str) -> BigUint {
    BigUint::parse_bytes(text.as_bytes(), 16).unwrap()
}

fn is_on_curve(curve: &Curve, x: &str, y: &str) -> bool {
    let (Some(x), Some(y)) = (decode(x), decode(y)) else { return false };
    if x.len() != curve.bytes || y.len() != curve.bytes {
        return false;
    }
    let (p, b) = (hex(curve.p), hex(curve.b));
    let (x, y) = (BigUint::from_bytes_be(&x), BigUint::from_bytes_be(&y));
    let left = &y * &y % &p;
    // Minus three times x, without leaving the natural numbers.
    let right = (&x * &x * &x + (&p - 3_u32) * &x + b) % &p;
    x < p && y < p && left == right
}

/// On the curve of Ed25519 (RFC 8032 §5.1), in its one spelling, and not of an order that divides eight.
fn is_strong_edwards_point(text: &str) -> bool {
    let Some(mut bytes) = decode(text) else { return false };
    if bytes.len() != 32 {
        return false;
    }
    // The sign of x, which does not matter to what follows.
    bytes[31] &= 0x7f;
    let p = (BigUint::from(1_u32) << 255) - 19_u32;
    let y = BigUint::from_bytes_le(&bytes);
    if y >= p {
        return false;
    }
    let invert = |number: &BigUint| number.modpow(&(&p - 2_u32), &p);
    let d = (&p - 121_665_u32) * invert(&BigUint::from(121_666_u32)) % &p;
    let one = BigUint::from(1_u32);
    let x_squared = |y: &BigUint| {
        let y_squared = y * y % &p;
        (&y_squared + &p - &one) * invert(&((&d * &y_squared + &one) % &p)) % &p
    };
    // Euler: a square to the power of (p - 1) / 2 is one, or it is zero.
    let root = x_squared(&y).modpow(&((&p - &one) / 2_u32), &p);
    if root != one && root != BigUint::ZERO {
        return false;
    }
    // Doubled three times: of the point, only y is needed, and of x its square.
    let mut multiple = y;
    for _ in 0..3 {
        let (xx, yy) = (x_squared(&multiple), &multiple * &multiple % &p);
        let below = (&one + &p - &d * &xx % &p * &yy % &p) % &p;
        multiple = (xx + yy) * invert(&below) % &p;
    }
    multiple != one
}
