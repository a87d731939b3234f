//! Waiting for others to be done with an item.
//!
//! DynamoDB has no queue: it refuses whoever comes to an item while a transaction is at it. Those who belong to one process
//! need not be refused by it again and again: who has met somebody lines up behind the others of the process for that item,
//! and only the first of them tries. Those of other processes come apart by chance ("decorrelated jitter").

use std::{
    hash::{BuildHasher, RandomState},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, timeout_at},
};

use super::{Store, StoreError, between};

/// The shortest and the longest wait of who is first in line. A transaction takes some 10 ms, and who comes while it is
/// under way does not hold it up; so it is better to come often than to leave an item idle.
const WAIT: RangeInclusive<Duration> = Duration::from_millis(4)..=Duration::from_millis(50);
/// How long others may be in the way.
const FOR: Duration = Duration::from_millis(4500);
/// How many lines there are; items that share one wait for each other without need.
const LINES: usize = 64;

/// The lines of a process.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<(RandomState, [Arc<Mutex<()>>; LINES])>);

impl Default for Lines {
    fn default() -> Self {
        Self(Arc::new((RandomState::new(), std::array::from_fn(|_| Arc::default()))))
    }
}

/// The waits of one who wants to write.
pub(super) struct Backoff {
    lines: Lines,
    turn: Option<OwnedMutexGuard<()>>,
    last: Duration,
    until: Instant,
}

impl Store {
    pub(super) fn backoff(&self) -> Backoff {
        Backoff { lines: self.lines.clone(), turn: None, last: *WAIT.start(), until: Instant::now() + FOR }
    }
}

impl Backoff {
    /// Waits until it is our turn at this item, and from then on whenever we have come too early or too late;
    /// [`StoreError::Contended`] where the time is up.
    pub(super) async fn line_up(&mut self, item: &str) -> Result<(), StoreError> {
        if self.turn.is_some() {
            return self.wait().await;
        }
        let (hasher, lines) = &*self.lines.0;
        let which = usize::try_from(hasher.hash_one(item) % LINES as u64).unwrap_or(0);
        let turn = timeout_at(self.until, lines[which].clone().lock_owned()).await;
        self.turn = Some(turn.map_err(|_| StoreError::Contended)?);
        Ok(())
    }

    /// Waits without lining up.
    pub(super) async fn wait(&mut self) -> Result<(), StoreError> {
        self.last = between(*WAIT.start(), self.last * 3).min(*WAIT.end());
        if Instant::now() + self.last > self.until {
            return Err(StoreError::Contended);
        }
        tokio::time::sleep(self.last).await;
        Ok(())
    }
}
