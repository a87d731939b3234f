//! Live connections of streams.

use aws_sdk_dynamodb::types::{DeleteRequest, PutRequest, WriteRequest};
use futures_util::future::{join_all, try_join_all};

use super::{Attributes, Item, Key, RACES, SHARDS, Store, StoreError, pause, s, shard};
use crate::model::live::{LiveConnection, Stream};

/// How many items a batch takes.
const BATCH_MAX: usize = 25;

/// A stream that everybody joins in the same minute is spread over as many partitions as there are shards.
fn partition(stream: &Stream, shard: u8) -> String {
    let Stream { vhost, app, stream } = stream;
    format!("STREAM#{vhost}/{app}/{stream}#{shard}")
}

fn key(connection: &LiveConnection) -> Key {
    let name = connection.name.as_str();
    Key { pk: partition(&connection.stream, shard(name)), sk: name.to_owned() }
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
            let keys = connections.iter().map(|connection| key(connection).attributes());
            let deletes = keys.map(delete).collect::<Result<Vec<_>, StoreError>>()?;
            join_all(deletes.chunks(BATCH_MAX).map(|batch| self.write(batch.to_vec()))).await;
        }
        written.map(drop)
    }

    /// Ends all live connections of a stream, until all are gone or the time is up; `true` where they are gone.
    ///
    /// A request for each shard, and two more for every 25 connections in it.
    pub async fn end_live_connections(&self, stream: &Stream, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        let shards = (0..SHARDS).map(|shard| self.end_connections_in(partition(stream, shard), &in_time));
        Ok(try_join_all(shards).await?.into_iter().all(|ended| ended))
    }

    async fn end_connections_in(&self, partition: String, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        while in_time() {
            let query = self
                .client
                .query()
                .table_name(&*self.table)
                .consistent_read(true)
                .key_condition_expression("PK = :pk")
                .expression_attribute_values(":pk", s(&partition))
                .projection_expression("PK, SK")
                .limit(i32::try_from(BATCH_MAX).unwrap_or(i32::MAX));
            let keys = query.send().await?.items.unwrap_or_default();
            if keys.is_empty() {
                return Ok(true);
            }
            self.write(keys.into_iter().map(delete).collect::<Result<_, _>>()?).await?;
        }
        Ok(false)
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

fn delete(key: Attributes) -> Result<WriteRequest, StoreError> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}
