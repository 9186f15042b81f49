//! An RSA key whose private half is here, to sign what no library would: RSASSA-PKCS1-v1_5 with other paddings.
//!
//! Its modulus is a product of many small primes `p`, all with `p - 1` a divisor of the same number. So the
//! private exponent is short, and a signature takes no time. Nobody else should use such a key.

use std::sync::LazyLock;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_test_issuer::{Signature, TokenBuilder};
use serde_json::{Value, json};

/// The modulus, 2048 bits, a little above 2^2047.
const N: &str = "hdjGQ6fOD57Kz6eJMZ9AkAE9RRtKc16--PeKP3hhL3r-kIe2X4nD1PG5L7RYcAtELJt75epuvSBfUzsioe2SwJgEWtiDI8HGe2vUB2ty\
VFwnXib_mmlUxXyD5sZWmISTThusNv3vW6x5suTr1rXL5woRRBV50-SyiEVD3Tk2Oo9QCEa3FBYyLPvWS2x3s-PcROM0ZdCL49RWFha9NML2lMm366P6U9Fe7jg-pse\
Jutr0DU-yEhpcN7pnLaGFgnhOe0TkXFvf3bjdpzKFaK4l6ZOWmakrArxOQtqtxaroMy-oAPPJHd6EKX0XUKCcKHpgL2RHBQtnj4UndNZVVszXqQ";
/// The inverse of 65537.
const D: u64 = 100_735_073;
/// Length of the modulus.
pub(super) const LEN: usize = 256;

/// `DigestInfo` of SHA-256, up to the digest itself (RFC 8017 section 9.2).
pub(super) const DIGEST_INFO: &[u8] =
    &[0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20];

/// The key under this name, with this public exponent. Signatures are right for `AQAB`.
pub(super) fn jwk(kid: &str, exponent: &str) -> Value {
    json!({ "kty": "RSA", "kid": kid, "alg": "RS256", "use": "sig", "n": N, "e": exponent })
}

/// A token by this key, under this name. `encode` turns the digest into the block to be signed, of [`LEN`]
/// bytes.
pub(super) fn sign(
    token: TokenBuilder,
    kid: &str,
    encode: impl FnOnce(&[u8]) -> Vec<u8>,
) -> String {
    let (token, block) = block(token, kid, encode);
    token.signature(Signature::Bytes(power(&block))).sign()
}

/// A real key of the generator that CVE-2017-15361 broke, by Wycheproof, under this name; and a token that it signed.
pub(super) fn roca(token: TokenBuilder, kid: &str) -> (Value, String) {
    let vectors = include_str!("../../../../crates/token-verify/vectors/json_web_key_test.json");
    let vectors: Value = serde_json::from_str(vectors).unwrap();
    let groups = vectors["testGroups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["comment"] == "jws_rsa_roca_key").unwrap();
    let private = &group["private"]["keys"][0];
    // RSAPrivateKey of RFC 8017 appendix A.1.2: the version, then these.
    let numbers = ["n", "e", "d", "p", "q", "dp", "dq", "qi"]
        .map(|name| URL_SAFE_NO_PAD.decode(private[name].as_str().unwrap()).unwrap());
    let integers = numbers.iter().map(|number| der(2, &[&[0], number.as_slice()].concat()));
    let content: Vec<u8> = std::iter::once(vec![2, 1, 0]).chain(integers).flatten().collect();
    let pair = RsaKeyPair::from_der(&der(0x30, &content)).unwrap();
    let (header, payload, _) = token.header("kid", kid).header("alg", "RS256").sign_parts();
    let mut signature = vec![0; pair.public_modulus_len()];
    let signed = format!("{header}.{payload}");
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    let mut public = group["public"]["keys"][0].clone();
    public["kid"] = kid.into();
    (public, format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A tag, a length and content. Of an INTEGER, no more zeros in front than its sign needs.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let is_needless = |pair: &[u8]| tag == 2 && pair[0] == 0 && pair[1] < 0x80;
    let needless = content.windows(2).take_while(|pair| is_needless(pair)).count();
    let content = &content[needless..];
    let len = content.len().to_be_bytes();
    let len = match content.len() {
        0..0x80 => len[7..].to_vec(),
        0x80..0x100 => [&[0x81], &len[7..]].concat(),
        _ => [&[0x82], &len[6..]].concat(),
    };
    [vec![tag], len, content.to_vec()].concat()
}

/// A token, and what should be signed of it.
pub(super) fn block(
    token: TokenBuilder,
    kid: &str,
    encode: impl FnOnce(&[u8]) -> Vec<u8>,
) -> (TokenBuilder, Vec<u8>) {
    let token = token.header("kid", kid).header("alg", "RS256");
    let (header, payload, _) = token.sign_parts();
    let signed = format!("{header}.{payload}");
    let block = encode(digest(&SHA256, signed.as_bytes()).as_ref());
    assert_eq!(block.len(), LEN);
    (token, block)
}

/// As RFC 8017 section 9.2 has it.
pub(super) fn encode(digest: &[u8]) -> Vec<u8> {
    pad(&[DIGEST_INFO, digest].concat())
}

/// `00 01 FF…FF 00 content`, as it should be (RFC 8017 section 9.2).
pub(super) fn pad(content: &[u8]) -> Vec<u8> {
    let filler = vec![0xff; LEN - 3 - content.len()];
    [&[0, 1], filler.as_slice(), &[0], content].concat()
}

/// The signature plus the modulus: another number that means the same. `None` if it is too long.
pub(super) fn plus_modulus(signature: &[u8]) -> Option<Vec<u8>> {
    let (sum, carry) = add(&number(signature), modulus());
    (!carry).then(|| bytes(&sum))
}

/// Little endian.
type Number = [u64; LEN / 8];

fn modulus() -> &'static Number {
    static MODULUS: LazyLock<Number> =
        LazyLock::new(|| number(&URL_SAFE_NO_PAD.decode(N).unwrap()));
    &MODULUS
}

fn number(bytes: &[u8]) -> Number {
    let mut limbs = bytes.rchunks_exact(8).map(|limb| u64::from_be_bytes(limb.try_into().unwrap()));
    std::array::from_fn(|_| limbs.next().unwrap())
}

fn bytes(number: &Number) -> Vec<u8> {
    number.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect()
}

/// `block` to the power of [`D`], modulo [`N`].
pub(super) fn power(block: &[u8]) -> Vec<u8> {
    let base = number(block);
    let mut power = base;
    for bit in (0..D.ilog2()).rev() {
        power = multiply(&power, &power);
        if D >> bit & 1 == 1 {
            power = multiply(&power, &base);
        }
    }
    bytes(&power)
}

fn multiply(left: &Number, right: &Number) -> Number {
    let mut product = [0; LEN / 8];
    for limb in left.iter().rev() {
        for bit in (0..64).rev() {
            product = add_modulo(&product, &product);
            if limb >> bit & 1 == 1 {
                product = add_modulo(&product, right);
            }
        }
    }
    product
}

fn add_modulo(left: &Number, right: &Number) -> Number {
    let (sum, carry) = add(left, right);
    let modulus = modulus();
    let is_less = sum.iter().rev().lt(modulus.iter().rev());
    if carry || !is_less { subtract(&sum, modulus) } else { sum }
}

fn add(left: &Number, right: &Number) -> (Number, bool) {
    let mut carry = false;
    let sum = std::array::from_fn(|at| {
        let (sum, first) = left[at].overflowing_add(right[at]);
        let (sum, second) = sum.overflowing_add(u64::from(carry));
        carry = first || second;
        sum
    });
    (sum, carry)
}

/// What it would owe is the carry of the sum before.
fn subtract(left: &Number, right: &Number) -> Number {
    let mut borrow = false;
    std::array::from_fn(|at| {
        let (difference, first) = left[at].overflowing_sub(right[at]);
        let (difference, second) = difference.overflowing_sub(u64::from(borrow));
        borrow = first || second;
        difference
    })
}
