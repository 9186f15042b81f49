use std::{
    fmt,
    path::Path,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, SystemTime},
};

use palisade_core::{ClientAddr, Clock, Principal, SystemClock};

use super::{
    DenyEntry,
    tables::{Hit, Tables},
};
use crate::{
    Rejection,
    record_file::{self, RecordFileError},
};

const DEFAULT_MAX_ENTRIES: usize = 100_000;
const COME_BACK: Duration = Duration::from_secs(1);

/// Who is not let in, whatever the token says. Cheap to clone; clones are the same list. See the
/// [module documentation](super).
#[derive(Clone)]
pub struct DenyList(Arc<Shared>);

struct Shared {
    /// The first is what was denied from code. The others belong to a [`DenyListFeed`] each.
    parts: RwLock<Vec<Part>>,
    clock: Box<dyn Clock + Send + Sync>,
    max_entries: usize,
}

struct Part {
    tables: Tables,
    freshness: Freshness,
    when_stale: WhenStale,
}

/// When a part last agreed with the place it comes from, by the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Always,
    Never,
    Since(Duration),
}

/// What happens when the place that entries come from has not been reached for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenStale {
    /// The last good entries count for as long as it takes. Whoever can cut the service off from that place
    /// keeps new entries out.
    KeepLastGood,
    /// The last good entries count for that long, and then every request is refused with 503. Whoever can
    /// cut the service off from that place stops it.
    RefuseAfter(Duration),
}

/// A minute, and then nobody comes in.
impl Default for WhenStale {
    fn default() -> Self {
        Self::RefuseAfter(Duration::from_secs(60))
    }
}

/// No entry fits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the deny list holds {max} entries and none of them is over; lift some, or allow more")]
#[non_exhaustive]
pub struct DenyListFullError {
    /// The bound.
    pub max: usize,
}

impl DenyList {
    /// Nobody is denied, and there is room for 100,000 entries from code, and as many from each feed.
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_entries(DEFAULT_MAX_ENTRIES)
    }

    /// Nobody is denied, and there is room for `max` entries from code, and as many from each feed.
    #[must_use]
    pub fn with_max_entries(max: usize) -> Self {
        Self::with_clock(max, SystemClock::new())
    }

    /// The same, with the time of `clock`.
    #[must_use]
    pub fn with_clock(max: usize, clock: impl Clock + Send + Sync + 'static) -> Self {
        let manual = Part {
            tables: Tables::default(),
            freshness: Freshness::Always,
            when_stale: WhenStale::KeepLastGood,
        };
        let parts = RwLock::new(vec![manual]);
        Self(Arc::new(Shared { parts, clock: Box::new(clock), max_entries: max }))
    }

    /// Denies, from the next request on.
    ///
    /// An entry that another one includes changes nothing.
    ///
    /// # Errors
    ///
    /// [`DenyListFullError`] if there are as many entries as allowed, and none of them is over. The entry is
    /// not on the list then: tell somebody.
    pub fn deny(&self, entry: DenyEntry) -> Result<(), DenyListFullError> {
        let (now, max) = (self.0.clock.now(), self.0.max_entries);
        let mut parts = self.write();
        let Some(manual) = parts.first_mut() else { return Err(DenyListFullError { max }) };
        if manual.tables.len() >= max {
            manual.tables.purge(now);
        }
        if manual.tables.insert(entry, max) { Ok(()) } else { Err(DenyListFullError { max }) }
    }

    /// Lifts all entries from code that are about the same as this one, whatever their times. Says how many.
    /// Entries of feeds are lifted where they come from.
    #[must_use = "zero says that nothing was lifted"]
    pub fn lift(&self, entry: &DenyEntry) -> usize {
        self.write().first_mut().map_or(0, |manual| manual.tables.lift(&entry.target))
    }

    /// How many entries there are, in all parts. Some may be over.
    #[must_use]
    pub fn len(&self) -> usize {
        self.read().iter().map(|part| part.tables.len()).sum()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A part of the list whose entries come from somewhere else, and are replaced as a whole.
    ///
    /// Until it is replaced for the first time the list is stale, and every request is refused with 503,
    /// whatever `when_stale` says: there is nothing good to keep.
    #[must_use = "without its feed, a part is stale for ever"]
    pub fn feed(&self, when_stale: WhenStale) -> DenyListFeed {
        let mut parts = self.write();
        let part = parts.len();
        parts.push(Part { tables: Tables::default(), freshness: Freshness::Never, when_stale });
        DenyListFeed { list: self.clone(), part }
    }

    /// A list with the entries of a file, read on the spot; and the feed, to read it again.
    ///
    /// # Errors
    ///
    /// [`RecordFileError`] if the file cannot be read or any line cannot be used: a service does not start
    /// with a deny list that it does not understand.
    pub fn from_file(path: impl AsRef<Path>) -> Result<(Self, DenyListFeed), RecordFileError> {
        let list = Self::new();
        let feed = list.feed(WhenStale::KeepLastGood);
        feed.replace_from_text(&record_file::read_file(path.as_ref())?)?;
        Ok((list, feed))
    }

    /// Whether requests may come from that address. To be asked before anything of the request is believed.
    ///
    /// # Errors
    ///
    /// [`Rejection::AddressDenied`]; [`Rejection::AddressMissing`] if there are addresses on the list and the
    /// request has none; [`Rejection::DenyListStale`].
    pub fn check_address(&self, address: Option<ClientAddr>) -> Result<(), Rejection> {
        let denied = |hit: Hit<'_>| Rejection::AddressDenied { label: hit.label.cloned() };
        self.check_parts(|tables, now| match address {
            Some(address) => tables.find_address(address.ip(), now).map(denied),
            None => tables.has_addresses(now).then_some(Rejection::AddressMissing),
        })
    }

    /// Whether the principal may come in. To be asked for each request, also where the principal comes from a
    /// cache.
    ///
    /// # Errors
    ///
    /// [`Rejection::Revoked`]; [`Rejection::DenyListStale`].
    pub fn check(&self, principal: &Principal) -> Result<(), Rejection> {
        self.check_parts(|tables, now| {
            let hit = tables.find(principal, now)?;
            Some(Rejection::Revoked { what: hit.what, label: hit.label.cloned() })
        })
    }

    fn check_parts(
        &self,
        find: impl Fn(&Tables, SystemTime) -> Option<Rejection>,
    ) -> Result<(), Rejection> {
        // Before the lock: a clock may be anybody's code.
        let (now, monotonic) = (self.0.clock.now(), self.0.clock.monotonic());
        let parts = self.read();
        // What is known to be denied is denied, also where more may be.
        if let Some(rejection) = parts.iter().find_map(|part| find(&part.tables, now)) {
            return Err(rejection);
        }
        if parts.iter().any(|part| part.is_stale(monotonic)) {
            return Err(Rejection::DenyListStale { retry_after: Some(COME_BACK) });
        }
        Ok(())
    }

    /// Whether every part of the list is as fresh as it has to be. For readiness probes.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        let monotonic = self.0.clock.monotonic();
        !self.read().iter().any(|part| part.is_stale(monotonic))
    }

    /// Only lookups and replacements happen under the lock, and a table that is replaced was whole before.
    fn read(&self) -> RwLockReadGuard<'_, Vec<Part>> {
        self.0.parts.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Vec<Part>> {
        self.0.parts.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for DenyList {
    fn default() -> Self {
        Self::new()
    }
}

impl Part {
    fn is_stale(&self, monotonic: Duration) -> bool {
        match (self.freshness, self.when_stale) {
            (Freshness::Always, _) => false,
            (Freshness::Never, _) => true,
            (Freshness::Since(_), WhenStale::KeepLastGood) => false,
            (Freshness::Since(since), WhenStale::RefuseAfter(limit)) => {
                monotonic.saturating_sub(since) > limit
            }
        }
    }
}

/// Fills one part of a [`DenyList`].
///
/// Dropping it leaves the entries on the list.
pub struct DenyListFeed {
    list: DenyList,
    part: usize,
}

impl DenyListFeed {
    /// Replaces all entries of this feed, at once and as a whole.
    ///
    /// # Errors
    ///
    /// [`DenyListFullError`] if there are more than allowed that are not over. Then all entries stay as they
    /// were.
    pub fn replace(
        &self,
        entries: impl IntoIterator<Item = DenyEntry>,
    ) -> Result<(), DenyListFullError> {
        self.replace_as_of(self.moment(), entries)
    }

    /// States: *the entries are still those of the place they come from.*
    pub fn confirm(&self) {
        self.confirm_as_of(self.moment());
    }

    /// Replaces all entries of this feed by those of a text in the form of the file.
    ///
    /// # Errors
    ///
    /// [`RecordFileError`] if any line cannot be used. Then all entries stay as they were.
    pub fn replace_from_text(&self, text: &str) -> Result<(), RecordFileError> {
        let max = self.list.0.max_entries;
        let records = record_file::read_records(text, max, DenyEntry::read)?;
        let entries = records.into_iter().map(|(_, entry)| entry);
        self.replace(entries).map_err(|DenyListFullError { max }| RecordFileError::TooMany { max })
    }

    /// Follows a file, which is in the form of the [module documentation](super).
    #[cfg(feature = "reload")]
    pub fn watch(self, path: impl Into<std::path::PathBuf>) -> record_file::FileWatcher {
        record_file::FileWatcher::new(path.into(), Box::new(self))
    }

    /// For a question that begins now: entries are as old as the question for them, not as the answer.
    pub(super) fn moment(&self) -> Duration {
        self.list.0.clock.monotonic()
    }

    pub(super) fn replace_as_of(
        &self,
        moment: Duration,
        entries: impl IntoIterator<Item = DenyEntry>,
    ) -> Result<(), DenyListFullError> {
        let (now, max) = (self.list.0.clock.now(), self.list.0.max_entries);
        let mut tables = Tables::default();
        // What is over stays while there is room, as in the entries from code: the clock may be ahead for a moment,
        // and nobody reads the entries again when it is set right.
        let mut has_room = true;
        for entry in entries {
            if has_room && tables.len() >= max {
                tables.purge(now);
                has_room = false;
            }
            if !has_room && entry.rule.is_over(now) {
                continue;
            }
            if !tables.insert(entry, max) {
                return Err(DenyListFullError { max });
            }
        }
        let replaced = self.list.write().get_mut(self.part).map(|part| {
            part.freshness = Freshness::Since(moment);
            std::mem::replace(&mut part.tables, tables)
        });
        // Outside the lock: many entries take a while to drop.
        drop(replaced);
        Ok(())
    }

    pub(super) fn confirm_as_of(&self, moment: Duration) {
        if let Some(part) = self.list.write().get_mut(self.part)
            && part.freshness != Freshness::Never
        {
            part.freshness = Freshness::Since(moment);
        }
    }
}

#[cfg(feature = "reload")]
impl record_file::FileTarget for DenyListFeed {
    fn take(&self, text: &str) -> Result<(), RecordFileError> {
        self.replace_from_text(text)
    }

    fn confirm(&self) {
        Self::confirm(self);
    }
}

impl fmt::Debug for DenyList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyList").field("len", &self.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for DenyListFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenyListFeed").field("part", &self.part).finish_non_exhaustive()
    }
}
