//! Batches: many writes in one request that need not succeed together. A busy table does part of a batch and returns
//! the rest.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use futures_util::future::try_join_all;

use super::{Attributes, Store, StoreError, attempts::Attempts};

/// The largest number of items in a batch.
pub(super) const BATCH_MAX: usize = 25;

/// The write of a batch that puts an item.
pub(super) fn put(item: Attributes) -> Result<WriteRequest, StoreError> {
    Ok(WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build()?).build())
}

/// The write of a batch that deletes an item. Of its attributes only the key has to be there.
pub(super) fn delete(mut item: Attributes) -> Result<WriteRequest, StoreError> {
    item.retain(|name, _| name == "PK" || name == "SK");
    Ok(WriteRequest::builder().delete_request(DeleteRequest::builder().set_key(Some(item)).build()?).build())
}

impl Store {
    /// Writes all of these, in batches, in parallel.
    pub(super) async fn write_all(&self, writes: Vec<WriteRequest>) -> Result<(), StoreError> {
        try_join_all(batches(writes).map(|batch| self.write_batch(batch))).await.map(drop)
    }

    /// Writes a batch completely. Sends the rest again as often as DynamoDB returns one.
    pub(super) async fn write_batch(&self, mut batch: Vec<WriteRequest>) -> Result<(), StoreError> {
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

    /// Deletes all items of a partition, until all are gone or the time is up. Returns `true` if they are gone.
    pub(super) async fn delete_partition(&self, pk: &str, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        loop {
            let items = self.query(pk).only("PK, SK").limit(BATCH_MAX).send().await?.items;
            if items.is_empty() {
                return Ok(true);
            }
            self.write_batch(items.into_iter().map(delete).collect::<Result<_, _>>()?).await?;
            if !in_time() {
                return Ok(false);
            }
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
