//! Live connections of streams.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use futures_util::future::{join_all, try_join_all};

use super::{Item, Key, RACES, Store, StoreError, pause, shard};
use crate::model::live::{LiveConnection, Stream};

/// How many items a batch takes.
const BATCH_MAX: usize = 25;

/// A stream that everybody joins in the same minute is spread over as many partitions as there are shards.
fn key(connection: &LiveConnection) -> Key {
    let Stream { vhost, app, stream } = &connection.stream;
    let name = connection.name.as_str();
    Key { pk: format!("STREAM#{vhost}/{app}/{stream}#{}", shard(name)), sk: name.to_owned() }
}

impl Store {
    /// Adds live connections. One request for every 25 of them; where one fails, the others are taken back.
    pub async fn insert_live_connections(&self, connections: &[LiveConnection]) -> Result<(), StoreError> {
        let puts = connections.iter().map(|connection| {
            let item = Item { key: key(connection), kind: "LiveConnection", entity: connection }.attributes()?;
            let put = PutRequest::builder().set_item(Some(item)).build()?;
            Ok(WriteRequest::builder().put_request(put).build())
        });
        let puts = puts.collect::<Result<Vec<_>, StoreError>>()?;
        let written = try_join_all(puts.chunks(BATCH_MAX).map(|batch| self.write(batch.to_vec()))).await;
        if written.is_err() {
            // What is left all the same ends with the tokens that nobody was given.
            let deletes = connections.iter().filter_map(|connection| {
                let delete = DeleteRequest::builder().set_key(Some(key(connection).attributes())).build().ok()?;
                Some(WriteRequest::builder().delete_request(delete).build())
            });
            let deletes: Vec<_> = deletes.collect();
            join_all(deletes.chunks(BATCH_MAX).map(|batch| self.write(batch.to_vec()))).await;
        }
        written.map(drop)
    }

    /// Writes a batch whole, however often DynamoDB gives part of it back.
    async fn write(&self, mut batch: Vec<WriteRequest>) -> Result<(), StoreError> {
        for lost in 0..RACES {
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
