//! Looking through a list for records that no key leads to.
//!
//! It reads all that it looks at, so it has a budget; and other requests of the process come first: of all searches
//! together only few read at once, and little at a time, so that nobody waits long behind them, least of all for the
//! embedded database, which does one thing after the other.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::Instant,
};

use super::{Record, merged::Merged};
use crate::store::StoreError;

/// How many records a request may look at.
const RECORDS: u32 = 25_000;
/// For how long it may look.
const TIME: Duration = Duration::from_millis(1500);
/// How many searches of a process read at once.
const MAX_CONCURRENT: usize = 2;
/// How many records a search decodes before other requests have their turn: a millisecond's work.
const DECODED_AT_ONCE: u32 = 50;

static SEARCHES: Semaphore = Semaphore::const_new(MAX_CONCURRENT);

/// Waits until a search may read a little.
pub(super) async fn turn() -> Result<SemaphorePermit<'static>, StoreError> {
    // Nobody closes it.
    SEARCHES.acquire().await.map_err(|_| StoreError::Contended)
}

/// How much may still be looked at.
pub(super) struct Budget {
    records: u32,
    until: Instant,
}

impl Default for Budget {
    fn default() -> Self {
        Self { records: RECORDS, until: Instant::now() + TIME }
    }
}

impl Budget {
    fn is_used_up(&self) -> bool {
        self.records == 0 || Instant::now() >= self.until
    }
}

/// A search, and what it has found.
pub(super) struct Search<'a, T> {
    pub(super) matches: &'a (dyn Fn(&T) -> bool + Send + Sync),
    pub(super) budget: Budget,
    pub(super) found: Vec<T>,
    /// How many match.
    pub(super) count: u64,
    /// The number of the last record that was looked at.
    pub(super) last: Option<u64>,
}

impl<T: Record> Search<'_, T> {
    /// Looks through a list up to this number; `false` where the budget did not reach. Of what matches, these many are
    /// passed over and at most so many kept.
    pub(super) async fn look_through(
        &mut self,
        list: &mut Merged<'_, T>,
        skip: u64,
        keep: usize,
        until: Option<u64>,
    ) -> Result<bool, StoreError> {
        let begun = self.count;
        loop {
            if self.budget.is_used_up() {
                return Ok(false);
            }
            let Some(record) = list.next().await? else { return Ok(true) };
            let record: T = record.read()?;
            if until.is_some_and(|until| record.id() > until) {
                return Ok(true);
            }
            self.budget.records -= 1;
            if self.budget.records.is_multiple_of(DECODED_AT_ONCE) {
                tokio::task::yield_now().await;
            }
            self.last = Some(record.id());
            if (self.matches)(&record) {
                self.count += 1;
                if self.count - begun > skip && self.found.len() < keep {
                    self.found.push(record);
                }
            }
        }
    }
}
