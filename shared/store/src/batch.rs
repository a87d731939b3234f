//! Batches: many writes in one request that need not succeed together. A busy table does part of a batch and returns
//! the rest.

use aws_sdk_dynamodb::types::WriteRequest;
use futures_util::future::try_join_all;

use super::{Store, StoreError, attempts::Attempts};

/// The largest number of items in a batch.
pub(super) const BATCH_MAX: usize = 25;

impl Store {
    /// Writes all of these, in batches, in parallel.
    pub(super) async fn write_all(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        try_join_all(batches(writes).map(|batch| self.write(batch))).await.map(drop)
    }

    /// Writes a batch completely. Sends the rest again as often as DynamoDB returns one.
    pub(super) async fn write(&self, mut batch: Vec<WriteRequest>) -> Result<(), StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let output = self.client.batch_write_item().request_items(&*self.table, batch).send().await?;
            batch = output.unprocessed_items.unwrap_or_default().into_values().flatten().collect();
            if batch.is_empty() {
                return Ok(());
            }
            attempts.lost().await?;
        }
    }
}

/// Writes in batches of the largest size.
pub(super) fn batches(mut writes: Vec<WriteRequest>) -> impl Iterator<Item = Vec<WriteRequest>> {
    std::iter::from_fn(move || {
        let rest = writes.split_off(writes.len().min(BATCH_MAX));
        Some(std::mem::replace(&mut writes, rest)).filter(|batch| !batch.is_empty())
    })
}
