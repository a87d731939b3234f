//! Waiting for other writers of an item.
//!
//! DynamoDB has no queue: it refuses a write to an item that a transaction is working on. Writes of one process need
//! not be refused again and again. A write that met another one lines up behind the other writes of its process for
//! that item, and only the first in line tries again. Writes of different processes are separated by random waits
//! ("decorrelated jitter").

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

/// The shortest and the longest wait of the first in line. A transaction takes about 10 ms, and a write that comes
/// meanwhile does not hold it up. So coming often is better than leaving an item idle.
const WAIT: RangeInclusive<Duration> = Duration::from_millis(4)..=Duration::from_millis(50);
/// The number of lines. Items that share a line wait for each other without need.
const LINES: usize = 64;

/// The lines of one process.
#[derive(Clone, Debug)]
pub(super) struct Lines(Arc<(RandomState, [Arc<Mutex<()>>; LINES])>);

impl Default for Lines {
    fn default() -> Self {
        Self(Arc::new((RandomState::new(), std::array::from_fn(|_| Arc::default()))))
    }
}

/// The waits of one write.
pub(super) struct Backoff {
    lines: Lines,
    turn: Option<OwnedMutexGuard<()>>,
    last: Duration,
    until: Instant,
}

impl Store {
    pub(super) fn backoff(&self) -> Backoff {
        Backoff { lines: self.lines.clone(), turn: None, last: *WAIT.start(), until: Instant::now() + self.contention }
    }
}

impl Backoff {
    /// Waits until this write is the first in line for the item. Later calls wait for a random time. Returns
    /// [`StoreError::Contended`] when the time is up.
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

    /// Waits for a random time without lining up.
    pub(super) async fn wait(&mut self) -> Result<(), StoreError> {
        self.last = between(*WAIT.start(), self.last * 3).min(*WAIT.end());
        if Instant::now() + self.last > self.until {
            return Err(StoreError::Contended);
        }
        tokio::time::sleep(self.last).await;
        Ok(())
    }
}
