//! No order of two layers turns a refusal into a pass.

use palisade_core::{Denial, DenialKind};
use palisade_integration::{
    CaptureSink, Counting, DEFECTS, Defect, Facts, Named, TestBody, World, all_layers, body,
};
use tower::ServiceExt;

fn layers(world: &World) -> Vec<Named<TestBody>> {
    all_layers(world, &CaptureSink::default(), body).unwrap()
}

#[tokio::test]
async fn every_pair_in_both_orders_refuses_what_either_must_refuse() {
    let world = World::new().unwrap();
    let layers = layers(&world);
    let mut pairs = 0_usize;
    for (defect, guardian) in DEFECTS {
        let guardian = layers.iter().find(|layer| layer.name() == guardian).unwrap();
        for other in &layers {
            for (outer, inner) in [(guardian, other), (other, guardian)] {
                for facts in [Facts::All, Facts::OfTheServer] {
                    let service = Counting::default();
                    let stack = outer.around(inner.around(service.service()));
                    let response = stack.oneshot(defect.request(&world, facts)).await.unwrap();
                    assert_eq!(
                        service.calls(),
                        0,
                        "{outer:?} around {inner:?} let {defect:?} pass ({facts:?})"
                    );
                    assert!(!response.status().is_success());
                    pairs = pairs.saturating_add(1);
                }
            }
        }
    }
    assert_eq!(pairs, DEFECTS.len() * layers.len() * 2 * 2);
}

#[tokio::test]
async fn every_pair_in_both_orders_passes_a_good_request_that_brings_all_facts() {
    let world = World::new().unwrap();
    let layers = layers(&world);
    for outer in &layers {
        for inner in &layers {
            let service = Counting::default();
            let stack = outer.around(inner.around(service.service()));
            let response = stack.oneshot(Defect::None.request(&world, Facts::All)).await.unwrap();
            // One pair cannot be good: the verifier takes the token away, so a second finds none. And a
            // verifier inside a policy replaces the principal whose audience was checked.
            if (outer.name(), inner.name()) == ("token-verify", "token-verify") {
                assert_eq!(response.status(), 401);
            } else if (outer.name(), inner.name()) == ("token-verify", "scope-policy") {
                let denial = response.extensions().get::<Denial>().unwrap();
                assert_eq!(
                    denial.kind(),
                    DenialKind::Misconfigured,
                    "the new principal is unchecked"
                );
            } else {
                assert_eq!(response.status(), 200, "{outer:?} around {inner:?}");
                assert_eq!(service.calls(), 1);
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_order_without_facts_fails_closed() {
    let world = World::new().unwrap();
    let layers = layers(&world);
    let find = |name: &str| layers.iter().find(|layer| layer.name() == name).unwrap();
    for needs_principal in ["audience-guard", "scope-policy", "rate-limit by principal"] {
        let service = Counting::default();
        let stack = find(needs_principal).around(find("token-verify").around(service.service()));
        let response =
            stack.oneshot(Defect::None.request(&world, Facts::OfTheServer)).await.unwrap();
        assert_eq!(response.status(), 500, "{needs_principal} outside token-verify");
        assert_eq!(service.calls(), 0);
    }
}
