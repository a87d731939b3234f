//! The turns of searches: only a few of a process read at once, so that other requests go first.

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::StoreError;

/// How many searches of a process read at once.
const MAX_CONCURRENT: usize = 2;

static SEARCHES: Semaphore = Semaphore::const_new(MAX_CONCURRENT);

/// Waits until a search may read a little.
pub(super) async fn turn() -> Result<SemaphorePermit<'static>, StoreError> {
    // Nothing closes the semaphore.
    SEARCHES.acquire().await.map_err(|_| StoreError::Contended)
}
