//! Batches: many writes in one request that need not succeed together. A busy table does part of a batch and returns
//! the rest.

use aws_sdk_dynamodb::types::WriteRequest;
use futures_util::future::try_join_all;

use super::{CONFLICT_ATTEMPTS, Store, StoreError, pause};

/// The largest number of items in a batch.
pub(super) const BATCH_MAX: usize = 25;

impl Store {
    /// Writes all of these, in batches, in parallel.
    pub(super) async fn write_all(&self, writes: &[WriteRequest]) -> Result<(), StoreError> {
        try_join_all(writes.chunks(BATCH_MAX).map(|batch| self.write(batch.to_vec()))).await.map(drop)
    }

    /// Writes a batch completely. Sends the rest again as often as DynamoDB returns one.
    pub(super) async fn write(&self, mut batch: Vec<WriteRequest>) -> Result<(), StoreError> {
        for lost in 0..CONFLICT_ATTEMPTS {
            if lost > 0 {
                pause(lost).await;
            }
            let output = self.client.batch_write_item().request_items(&*self.table, batch).send().await?;
            batch = output.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if batch.is_empty() {
                return Ok(());
            }
        }
        Err(StoreError::Contended)
    }
}
