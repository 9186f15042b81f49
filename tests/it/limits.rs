//! Limits around and inside of the verifier.

use std::{num::NonZeroU32, time::SystemTime};

use palisade_core::ManualClock;
use palisade_integration::{Counting, Defect, Facts, TestBody, World};
use palisade_rate_limit::{PerClientAddr, PerPrincipal, Quota, RateLimitLayer};
use palisade_token_verify::TokenVerifyLayer;
use tower::{ServiceBuilder, ServiceExt};

#[tokio::test]
async fn rl_07_guesses_count_for_the_address_and_not_for_the_victim() {
    let world = World::new().unwrap();
    let clock = ManualClock::at(SystemTime::UNIX_EPOCH);
    let per_minute = |requests| Quota::per_minute(NonZeroU32::new(requests).unwrap());
    let service = ServiceBuilder::new()
        .layer(RateLimitLayer::new(per_minute(3), PerClientAddr::new()).with_clock(clock.clone()))
        .layer(TokenVerifyLayer::new(world.verifier().unwrap()))
        .layer(RateLimitLayer::new(per_minute(1), PerPrincipal::new()).with_clock(clock))
        .service(Counting::default().service::<TestBody>());
    for (who, defect, status) in [
        ("a guesser, in the name of alice", Defect::ForgedToken, 401),
        ("again", Defect::ForgedToken, 401),
        ("alice, who may ask once", Defect::None, 200),
        ("whoever comes from that address now", Defect::ForgedToken, 429),
    ] {
        let request = defect.request(&world, Facts::OfTheServer);
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status, "{who}");
    }
}
