use std::sync::{Arc, Mutex};

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("down")]
struct Down;

type Answer = Option<Result<PulledEntries, Down>>;

/// Gives the prepared answer, or hangs; writes down what it was asked with.
#[derive(Clone, Default)]
struct Store {
    answer: Arc<Mutex<Answer>>,
    asked: Arc<Mutex<Vec<Option<String>>>>,
}

impl Store {
    fn will_answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    fn has(&self, subject: &str) {
        let entries = vec![DenyEntry::subject(AS, subject).unwrap()];
        let version = Some(format!("with {subject}"));
        self.will_answer(Some(Ok(PulledEntries::All { entries, version })));
    }
}

impl DenyListStore for Store {
    type Error = Down;

    async fn pull(&self, known: Option<&str>) -> Result<PulledEntries, Down> {
        self.asked.lock().unwrap().push(known.map(str::to_owned));
        let answer = self.answer.lock().unwrap().clone();
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn rev_01_a_shared_store_reaches_every_request_and_its_outage_is_bounded() {
    let clock = clock();
    let list = DenyList::with_clock(1, clock.clone());
    let store = Store::default();
    let mut shared = SharedDenyList::new(list.feed(WhenStale::default()), store.clone());
    let principal = alice().build();

    store.has("alice");
    shared.pull().await.unwrap();
    assert_eq!(found(&list, &principal), Some("subject"));
    store.has("bob");
    shared.pull().await.unwrap();
    assert_eq!(found(&list, &principal), None);

    clock.advance(Duration::from_secs(50));
    store.will_answer(Some(Ok(PulledEntries::Unchanged)));
    shared.pull().await.unwrap();
    clock.advance(Duration::from_secs(50));
    assert!(list.is_fresh(), "an unchanged list is a fresh one");

    store.will_answer(Some(Err(Down)));
    assert_eq!(shared.pull().await, Err(SharedDenyListError::Store(Down)));
    store.will_answer(None);
    assert_eq!(shared.pull().await, Err(SharedDenyListError::TimedOut));
    let entries = ["x", "y"].map(|name| DenyEntry::subject(AS, name).unwrap()).to_vec();
    store.will_answer(Some(Ok(PulledEntries::All { entries, version: None })));
    let full = DenyListFullError { max: 1 };
    assert_eq!(shared.pull().await, Err(SharedDenyListError::Full(full)));
    assert_eq!(list.check(&principal), Ok(()), "within the bound");
    clock.advance(Duration::from_secs(11));
    assert!(matches!(list.check(&principal), Err(Rejection::DenyListStale { .. })));

    let asked: Vec<_> = store.asked.lock().unwrap().clone();
    let bob = Some("with bob".to_owned());
    assert_eq!(
        asked,
        [None, Some("with alice".to_owned()), bob.clone(), bob.clone(), bob.clone(), bob]
    );
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_is_as_old_as_its_question() {
    struct Slow(ManualClock);
    impl DenyListStore for Slow {
        type Error = Down;

        async fn pull(&self, _: Option<&str>) -> Result<PulledEntries, Down> {
            self.0.advance(Duration::from_secs(61));
            Ok(PulledEntries::All { entries: Vec::new(), version: None })
        }
    }
    let clock = clock();
    let list = DenyList::with_clock(1, clock.clone());
    SharedDenyList::new(list.feed(WhenStale::default()), Slow(clock)).pull().await.unwrap();
    assert!(!list.is_fresh());
}

#[tokio::test(start_paused = true)]
async fn the_future_asks_twice_a_second_and_survives_outages() {
    let list = DenyList::with_clock(1, clock());
    let store = Store::default();
    store.will_answer(Some(Err(Down)));
    let run = SharedDenyList::new(list.feed(WhenStale::default()), store.clone()).run();
    let run = std::pin::pin!(tokio::time::timeout(Duration::from_millis(1750), run));
    run.await.unwrap_err();
    assert_eq!(store.asked.lock().unwrap().len(), 4);
    assert!(!list.is_fresh());

    store.has("alice");
    let run = SharedDenyList::new(list.feed(WhenStale::default()), store.clone());
    let run = run.interval(Duration::from_secs(10)).unwrap().run();
    tokio::time::timeout(Duration::from_secs(25), run).await.unwrap_err();
    assert_eq!(store.asked.lock().unwrap().len(), 7);
    assert_eq!(found(&list, &alice().build()), Some("subject"));
}
