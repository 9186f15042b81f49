//! See `../src/lib.rs`.
#![expect(dead_code, reason = "each case leaves something out")]

use palisade_audience_guard::AudienceGuardLayer;
use palisade_core::{AccessStack, GuardLayer, Operation, stack::roles::Authenticates};
use palisade_scope_policy::{ScopePolicy, ScopePolicyLayer};

#[derive(Clone)]
struct Verifier;

impl Authenticates for Verifier {}

fn verifier() -> GuardLayer<Verifier> {
    GuardLayer::new(Verifier)
}

fn audience() -> AudienceGuardLayer {
    AudienceGuardLayer::new("https://rs.example".parse().unwrap())
}

fn policy() -> ScopePolicyLayer<ScopePolicy> {
    let policy = ScopePolicy::deny_all()
        .allow(Operation::http("GET", "/"), "read")
        .unwrap()
        .build()
        .unwrap();
    ScopePolicyLayer::new(policy)
}

fn main() {
    let _ = AccessStack::new()
        .authenticate(audience())
        .audience(audience())
        .authorize(policy())
        .build();
}
