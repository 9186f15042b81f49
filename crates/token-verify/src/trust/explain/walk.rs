//! The rules, one after the other, whatever became of those before.

use std::{sync::Arc, time::SystemTime};

use serde_json::{Map, Value};

use super::{
    Explanation, Finding, Outcome, Rule, Verdict, advice,
    near::nearest,
    said::{is_told_by_value, names_of, text_of, types},
    text::{list, shown, string_or_kind},
};
use crate::{
    Rejection,
    jwt::{
        Compact, DEFAULT_MAX_TOKEN_BYTES, DryRun, Header, UnverifiedClaims, decode_object, dry_run,
        signed_bytes,
    },
    keys::{KeyAnswer, KeyLookup, KeySource, StaticKeys},
    trust::{KeyLocation, Origin, Trust, TrustedIssuer, limit::withhold},
};

/// What is known about a token once all rules were looked at.
pub(super) struct Seen<'a> {
    pub(super) trust: &'a Trust,
    pub(super) token: &'a str,
    pub(super) at: SystemTime,
    /// As far as they can be read at all.
    pub(super) header: Map<String, Value>,
    pub(super) claims: Map<String, Value>,
    /// Claims that the issuer may not say.
    pub(super) withheld: Vec<String>,
    /// Of the issuer, or of the one that was probably meant.
    pub(super) rules: Option<&'a TrustedIssuer>,
    pub(super) keys: Option<StaticKeys>,
    findings: Vec<Finding>,
}

/// `keys` are those of the issuer that the token names.
pub(super) fn explain(
    trust: &Trust,
    token: &str,
    at: SystemTime,
    keys: Option<&StaticKeys>,
) -> Explanation {
    let mut seen = Seen {
        trust,
        token,
        at,
        header: Map::new(),
        claims: Map::new(),
        withheld: Vec::new(),
        rules: None,
        keys: None,
        findings: Vec::new(),
    };
    seen.walk(keys);
    let all_rules = trust.shared().map(|rules| {
        let at_hand = keys.cloned().or_else(|| inline_keys(rules));
        (Arc::clone(rules), at_hand)
    });
    let verdict = match dry_run(token, all_rules, at) {
        DryRun::Accepted => Verdict::Accepted,
        DryRun::Refused(rejection) => Verdict::Refused(rejection),
        DryRun::SignatureUnchecked => Verdict::Undecided,
    };
    if let Verdict::Refused(rejection) = &verdict
        && !seen
            .findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Failed(rejection.clone()))
    {
        seen.failed(Rule::Other, rejection.clone(), rejection.to_string());
    }
    let advice = advice::of(&verdict, &seen);
    Explanation { verdict, advice, findings: seen.findings }
}

fn inline_keys(rules: &TrustedIssuer) -> Option<StaticKeys> {
    match rules.key_location() {
        KeyLocation::Inline(set) => StaticKeys::from_jwks_json(set).ok(),
        KeyLocation::Discovery | KeyLocation::JwksUri(_) | KeyLocation::Supplied => None,
    }
}

impl<'a> Seen<'a> {
    fn walk(&mut self, keys: Option<&StaticKeys>) {
        let parts = match Compact::split(self.token, DEFAULT_MAX_TOKEN_BYTES) {
            Ok(parts) => parts,
            Err(rejection) => {
                let text = rejection.to_string();
                return self.failed(Rule::Form, rejection, text);
            }
        };
        self.passed(Rule::Form, format!("three parts, {} bytes", self.token.len()));
        self.header = decode_object(parts.header, "").unwrap_or_default();
        let header = Header::read(parts.header);
        let text = match &header {
            Ok(_) => format!("JSON with {}", list(self.header.keys())),
            Err(Rejection::DisallowedAlgorithm) => {
                format!("`alg` is {}", string_or_kind(self.header.get("alg")))
            }
            Err(rejection) => rejection.to_string(),
        };
        self.push(Rule::Header, header.as_ref().map(|_| ()), text);
        let claims = match UnverifiedClaims::read(parts.payload) {
            Ok(claims) => claims,
            Err(rejection) => {
                let text = rejection.to_string();
                return self.failed(Rule::Payload, rejection, text);
            }
        };
        self.claims = claims.unproven().clone();
        self.passed(Rule::Payload, format!("JSON with {}", list(self.claims.keys())));
        let Some(rules) = self.find_rules(&claims) else { return };
        self.rules = Some(rules);
        self.keys = keys.cloned().or_else(|| inline_keys(rules));
        if let Ok(header) = &header {
            self.check_header(header, rules, parts.signature);
        }
        self.check_claims(rules);
    }

    fn find_rules(&mut self, claims: &UnverifiedClaims) -> Option<&'a TrustedIssuer> {
        let issuer = match claims.issuer() {
            Ok(issuer) => issuer,
            Err(rejection) => {
                let text = format!("`iss` is {}", string_or_kind(self.claims.get("iss")));
                self.failed(Rule::Issuer, rejection, text);
                return None;
            }
        };
        if let Some(rules) = self.trust.get(issuer) {
            self.passed(Rule::Issuer, format!("`iss` is {}, which is trusted", shown(issuer)));
            return Some(rules);
        }
        let known = list(self.trust.issuers().map(|known| known.issuer().as_str()));
        let near = nearest(self.trust, issuer).filter(|(_, difference)| difference.is_spelling());
        let rest = match near {
            Some((rules, _)) => {
                format!("; the rest is held to the rules of {}", shown(rules.issuer().as_str()))
            }
            None => String::new(),
        };
        let text = format!("`iss` is {}; trusted: {known}{rest}", shown(issuer));
        self.failed(Rule::Issuer, Rejection::WrongIssuer, text);
        near.map(|(rules, _)| rules)
    }

    fn check_header(&mut self, header: &Header, rules: &TrustedIssuer, signature: &str) {
        let accepted = list(rules.algorithms.iter().map(|algorithm| algorithm.as_str()));
        let text = format!("`alg` is `{}`; accepted: {accepted}", header.algorithm);
        self.push(Rule::Algorithm, header.check_algorithm(rules).as_ref().copied(), text);
        let typ = string_or_kind(self.header.get("typ"));
        let text = format!("`typ` is {typ}; accepted: {}", types(rules));
        self.push(Rule::Type, header.check_type(rules).as_ref().copied(), text);
        let signature = header.read_signature(signature);
        let text = match &signature {
            Ok(signature) => format!("the signature has {} bytes", signature.len()),
            Err(rejection) => rejection.to_string(),
        };
        self.push(Rule::SignatureForm, signature.as_ref().map(|_| ()), text);
        let Some(keys) = self.keys.clone() else {
            let kid = string_or_kind(self.header.get("kid"));
            self.open(Rule::Key, format!("`kid` is {kid}; no keys at hand"));
            self.open(Rule::Signature, "no keys at hand".to_owned());
            return;
        };
        let text = format!(
            "`kid` is {}; known for `{}`: {}",
            string_or_kind(self.header.get("kid")),
            header.algorithm,
            names_of(&keys, header.algorithm),
        );
        let answer = match keys.find(&header.key_hint()) {
            KeyLookup::Ready(answer) => answer,
            KeyLookup::Wait(_) => KeyAnswer::Unknown,
        };
        let key = match answer {
            KeyAnswer::Found(key) => {
                self.passed(Rule::Key, text);
                Some(key)
            }
            KeyAnswer::NotYetKnown { .. } | KeyAnswer::Unavailable { .. } | KeyAnswer::Unknown => {
                self.failed(Rule::Key, Rejection::UnknownKey, text);
                None
            }
        };
        let (Ok(signature), Some(key)) = (signature, key) else {
            self.open(Rule::Signature, "there is nothing to check it with".to_owned());
            return;
        };
        let signed = signed_bytes(self.token);
        let verified = key.verify(header.algorithm, signed, &signature);
        let verified = verified.ok_or(&Rejection::BadSignature).map(drop);
        let text = if verified.is_ok() { "it is the key's" } else { "it is not the key's" };
        self.push(Rule::Signature, verified, text.to_owned());
    }

    fn check_claims(&mut self, rules: &TrustedIssuer) {
        let mut allowed = self.claims.clone();
        withhold(&mut allowed, &rules.limits);
        self.withheld =
            self.claims.keys().filter(|name| !allowed.contains_key(*name)).cloned().collect();
        for (rule, result) in rules.each_check(&self.claims, &allowed, Origin::Jwt, self.at) {
            let text = match &result {
                Err(rejection) if !is_told_by_value(&rule) => rejection.to_string(),
                Ok(()) | Err(_) => text_of(&rule, rules, &allowed, self.at),
            };
            self.push(rule, result.as_ref().copied(), text);
        }
    }

    pub(super) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn passed(&mut self, rule: Rule, text: String) {
        self.findings.push(Finding { rule, outcome: Outcome::Passed, text });
    }

    fn failed(&mut self, rule: Rule, rejection: Rejection, text: String) {
        self.findings.push(Finding { rule, outcome: Outcome::Failed(rejection), text });
    }

    fn open(&mut self, rule: Rule, text: String) {
        self.findings.push(Finding { rule, outcome: Outcome::NotChecked, text });
    }

    fn push(&mut self, rule: Rule, result: Result<(), &Rejection>, text: String) {
        match result {
            Ok(()) => self.passed(rule, text),
            Err(rejection) => self.failed(rule, rejection.clone(), text),
        }
    }
}
