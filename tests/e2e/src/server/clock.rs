use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use palisade_core::{Clock, SystemClock};

/// The system's clock, and as much as it was put forward. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct ServerClock(Arc<AtomicU64>);

impl ServerClock {
    /// Puts it forward by whole seconds.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    fn ahead(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for ServerClock {
    fn now(&self) -> SystemTime {
        let now = SystemClock::new().now();
        now.checked_add(self.ahead()).unwrap_or(now)
    }

    fn monotonic(&self) -> Duration {
        SystemClock::new().monotonic().saturating_add(self.ahead())
    }
}
