//! What the layers leave for the audit record.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use http::request::Parts;

use crate::{ClientAddr, Denial, Operation, Principal};

/// How many destinations are told by name.
const MAX_DESTINATIONS: usize = 8;

/// The notes of one request, shared between the layer that writes records and all layers inside it.
///
/// Request extensions do not flow back to responses, and a response never exists if the client hangs
/// up. So the outermost layer keeps one handle, leaves another in the request, and reads it whenever
/// the request ends, however it ends.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Shared>);

/// A [`Trail`] that does not keep the request's notes alive.
#[derive(Clone, Debug, Default)]
pub struct WeakTrail(Weak<Shared>);

#[derive(Default)]
struct Shared {
    notes: Mutex<TrailNotes>,
    followers: Mutex<Vec<Arc<dyn FollowRequest>>>,
}

/// What a [`Trail`] has collected.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct TrailNotes {
    /// Where the request came from.
    pub client: Option<ClientAddr>,
    /// Who asked, in the latest state that a layer left.
    pub principal: Option<Principal>,
    /// What was asked for, if a protocol layer said so.
    pub operation: Option<Operation>,
    /// The refusal, if there was one. The first, should there be several.
    pub denial: Option<Denial>,
    /// Credentials of the request that were on their way to another service, and did not go.
    pub withheld: Withheld,
}

/// Outgoing requests that were refused because they carried a credential of this request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Withheld {
    /// How many there were.
    pub count: u64,
    /// Where they would have gone: origins, each once, in the order of the attempts; not more than eight.
    pub destinations: Vec<String>,
}

/// Accompanies one request beyond the layer that met it. See [`Trail::follow`].
pub trait FollowRequest: Send + Sync {
    /// A layer says who asks. Must not block or panic. May be called more than once.
    fn identified(&self);
}

impl Trail {
    /// A trail without notes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The trail of a request, if somebody keeps one.
    #[must_use]
    pub fn of(request: &Parts) -> Option<&Self> {
        request.extensions.get()
    }

    /// Notes where the request came from.
    pub fn locate(&self, client: ClientAddr) {
        self.write(|notes| notes.client = Some(client));
    }

    /// Notes who asks.
    pub fn identify(&self, principal: &Principal) {
        self.write(|notes| notes.principal = Some(principal.clone()));
        for follower in self.followers() {
            follower.identified();
        }
    }

    /// Notes what is asked for.
    pub fn name(&self, operation: &Operation) {
        self.write(|notes| notes.operation = Some(operation.clone()));
    }

    /// Notes a refusal. Only the first counts: nothing that happens later made the request fail.
    pub fn deny(&self, denial: &Denial) {
        self.write(|notes| {
            notes.denial.get_or_insert_with(|| denial.clone());
        });
    }

    /// Notes that a credential of the request was withheld from another service, by the origin of that
    /// service, if it is known. Paths and queries have no place here: they are where credentials hide.
    pub fn withhold(&self, destination: Option<&str>) {
        self.write(|notes| {
            let withheld = &mut notes.withheld;
            withheld.count = withheld.count.saturating_add(1);
            if let Some(destination) = destination
                && withheld.destinations.len() < MAX_DESTINATIONS
                && !withheld.destinations.iter().any(|known| known == destination)
            {
                withheld.destinations.push(destination.to_owned());
            }
        });
    }

    /// Lets `follower` know when somebody finds out who asks, at once if that is known already, and drops it
    /// with the last handle of the trail.
    ///
    /// That is when the request is over: whoever writes records keeps a handle until the end of the response's
    /// body, and the request has one for as long as a handler keeps its head.
    pub fn follow(&self, follower: impl FollowRequest + 'static) {
        let follower: Arc<dyn FollowRequest> = Arc::new(follower);
        // First in the list, then asked: whoever identifies in between tells it, and twice does no harm.
        let mut followers = self.0.followers.lock().unwrap_or_else(PoisonError::into_inner);
        followers.push(Arc::clone(&follower));
        drop(followers);
        if self.notes().principal.is_some() {
            follower.identified();
        }
    }

    /// A handle that does not keep the request from being over.
    #[must_use]
    pub fn downgrade(&self) -> WeakTrail {
        WeakTrail(Arc::downgrade(&self.0))
    }

    /// The notes so far.
    #[must_use]
    pub fn notes(&self) -> TrailNotes {
        self.0.notes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    // The lock guards assignments and never runs foreign code, so a poisoned one is still whole.
    fn write(&self, note: impl FnOnce(&mut TrailNotes)) {
        note(&mut self.0.notes.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A copy: followers are foreign code and run without a lock.
    fn followers(&self) -> Vec<Arc<dyn FollowRequest>> {
        self.0.followers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl WeakTrail {
    /// The trail, if the request is not over.
    #[must_use]
    pub fn upgrade(&self) -> Option<Trail> {
        self.0.upgrade().map(Trail)
    }
}

// Not derived: followers need no `Debug`.
impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("notes", &self.notes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    struct Seen {
        identified: AtomicUsize,
        dropped: AtomicUsize,
    }

    struct Follower(Arc<Seen>);

    impl FollowRequest for Follower {
        fn identified(&self) {
            self.0.identified.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Drop for Follower {
        fn drop(&mut self) {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn seen(seen: &Seen) -> (usize, usize) {
        (seen.identified.load(Ordering::SeqCst), seen.dropped.load(Ordering::SeqCst))
    }

    #[test]
    fn a_follower_learns_who_asks_and_goes_with_the_last_handle() {
        let alice = Principal::assert_verified("https://as.example", "alice").build();
        let (early, late) = (Arc::new(Seen::default()), Arc::new(Seen::default()));
        let trail = Trail::new();
        trail.follow(Follower(Arc::clone(&early)));
        assert_eq!(seen(&early), (0, 0));
        trail.identify(&alice);
        assert_eq!(seen(&early), (1, 0));
        trail.follow(Follower(Arc::clone(&late)));
        assert_eq!(seen(&late), (1, 0), "it was known already");

        let (other, weak) = (trail.clone(), trail.downgrade());
        drop(trail);
        assert_eq!((seen(&early).1, seen(&late).1), (0, 0));
        assert!(weak.upgrade().is_some());
        drop(other);
        assert_eq!((seen(&early).1, seen(&late).1), (1, 1));
        assert!(weak.upgrade().is_none());
    }

    #[test]
    fn what_was_withheld_is_counted_and_told_by_a_bounded_list_of_origins() {
        let trail = Trail::new();
        trail.withhold(None);
        for number in 0..20 {
            for _ in 0..2 {
                trail.withhold(Some(&format!("https://{number}.example")));
            }
        }
        let withheld = trail.notes().withheld;
        assert_eq!(withheld.count, 41);
        assert_eq!(withheld.destinations.len(), 8);
        assert_eq!(withheld.destinations[7], "https://7.example");
    }
}
