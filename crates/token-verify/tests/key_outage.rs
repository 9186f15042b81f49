//! What `examples/key_outage` shows, counted.

#[path = "../examples/key_outage/scenario.rs"]
mod scenario;

use self::scenario::{ATTACK_TOKENS, CLIENTS, Misbehaviour, run};

/// One that the attack may cause within the cooldown, and retries that become rarer. Not one more for each bad token.
const MAX_FETCHES: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jwk_08_valid_clients_notice_nothing_of_the_attack() {
    for misbehaviour in Misbehaviour::ALL {
        let report = run(misbehaviour).await.unwrap();
        let good = &report.good;
        assert!(good.asked >= CLIENTS, "{report:?}");
        assert_eq!((good.passed, good.waited), (good.asked, 0), "{report:?}");
        assert_eq!((report.bad.asked, report.bad.passed), (ATTACK_TOKENS, 0), "{report:?}");
        assert!((1..=MAX_FETCHES).contains(&report.fetches), "{report:?}");
    }
}
