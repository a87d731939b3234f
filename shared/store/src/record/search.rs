//! Searching a list for records that no key leads to.
//!
//! A search reads everything that it looks at, so it has a budget. Other requests of the process go first: only a few
//! searches read at once, and each reads a little at a time. So nobody waits long behind them, not even at the embedded
//! database, which runs one operation after the other.

use std::time::Duration;

use tokio::time::Instant;

use super::{Record, merged::Merged};
use crate::StoreError;

/// How many records one search may look at.
const RECORDS: u32 = 25_000;
/// How long one search may take.
const TIME: Duration = Duration::from_millis(1500);
/// How many records a search decodes before other requests have their turn. This takes about a millisecond.
const DECODED_AT_ONCE: u32 = 50;

/// How much a search may still look at.
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

/// A search and its results.
pub(super) struct Search<'a, T> {
    pub(super) matches: &'a (dyn Fn(&T) -> bool + Send + Sync),
    pub(super) budget: Budget,
    pub(super) found: Vec<T>,
    /// The number of records that match.
    pub(super) count: u64,
    /// The number of the last record that was looked at.
    pub(super) last: Option<u64>,
}

impl<T: Record> Search<'_, T> {
    /// Looks through a list up to this number. Returns `false` if the budget did not reach. Passes over `skip` matches
    /// and keeps at most `keep` others.
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
