//! Changes that are tried again because concurrent ones came first.

use std::time::Duration;

use super::{StoreError, between};

/// The attempts of one change. All of them together take about 2 seconds.
const MAX: usize = 40;
/// The longest wait between two of them, in milliseconds.
const PAUSE_MAX: u64 = 100;

/// The attempts of a change whose condition fails because of concurrent changes. Each reads what it depends on again.
#[derive(Debug, Default)]
pub(super) struct Attempts(usize);

impl Attempts {
    /// Counts an attempt that lost a race, and waits before the next.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if there were too many.
    pub(super) async fn lost(&mut self) -> Result<(), StoreError> {
        pause(self.0).await;
        self.again()
    }

    /// The same for an attempt that was told the present state. The second one follows at once, because it will
    /// probably be right.
    ///
    /// # Errors
    /// As [`Attempts::lost`].
    pub(super) async fn lost_knowingly(&mut self) -> Result<(), StoreError> {
        if self.0 == 0 { self.again() } else { self.lost().await }
    }

    /// Counts an attempt that is followed by another at once.
    ///
    /// # Errors
    /// As [`Attempts::lost`].
    pub(super) fn again(&mut self) -> Result<(), StoreError> {
        self.0 += 1;
        if self.0 < MAX { Ok(()) } else { Err(StoreError::Contended) }
    }

    /// Whether an attempt was lost.
    pub(super) fn any(&self) -> bool {
        self.0 > 0
    }
}

/// Waits behind a lost race. The wait grows with the number of those before it, so that the other writers finish first.
pub(super) async fn pause(lost: usize) {
    let most = (10_u64 << lost.min(6)).min(PAUSE_MAX);
    tokio::time::sleep(between(Duration::from_millis(1), Duration::from_millis(most))).await;
}
