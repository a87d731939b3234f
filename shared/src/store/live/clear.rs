//! Ending the connections of what is deleted.

use futures_util::future::try_join_all;

use super::{BATCH_MAX, SHARDS, delete, ledger, partition, prefix, put};
use crate::{
    clock::Timestamp,
    model::live::{DEFAULT_VHOST, EndReason, LiveConnection, Stream},
    store::{Attributes, Store, StoreError, s},
};

/// Which attributes a deletion reads.
const KEYS: &str = "PK, SK";

impl Store {
    /// Ends all live connections of a stream, and says so in the ledger, until all have ended or the time is up; `true`
    /// where they have.
    ///
    /// A request for each shard, and four more for every 25 connections in it.
    pub async fn end_live_connections(
        &self,
        stream: &Stream,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        let shards = (0..SHARDS).map(|shard| self.end_connections_in(stream, shard, now, &in_time));
        Ok(try_join_all(shards).await?.into_iter().all(|ended| ended))
    }

    async fn end_connections_in(
        &self,
        stream: &Stream,
        shard: u8,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        let partition = partition(&stream.vhost, &stream.app, shard);
        while in_time() {
            let items = self.some_items(&partition, &prefix(&stream.stream), None).await?;
            if items.is_empty() {
                return Ok(true);
            }
            let mut writes = Vec::new();
            for connection in serde_dynamo::from_items::<_, LiveConnection>(items)? {
                writes.push(delete(super::key_of(&connection)?.attributes())?);
                let is_live = connection.is_live(now);
                let ended = connection.clone().ended(now, EndReason::SESSION_CLOSED);
                let (old, new) = if is_live { ledger::end(&connection, &ended, now)? } else { (None, None) };
                writes.extend(old.map(|key| delete(key.attributes())).transpose()?);
                writes.extend(new.map(put).transpose()?);
            }
            self.write_all(&writes).await?;
        }
        Ok(false)
    }

    /// Deletes what there is of an event's connections, the ledger included, until all of it is gone or the time is up;
    /// `true` where it is gone.
    ///
    /// Two requests for each shard, and two more for every 25 items in it.
    pub async fn clear_live_connections(&self, event: u64, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        let app = event.to_string();
        let live = (0..SHARDS).map(|shard| partition(DEFAULT_VHOST, &app, shard));
        let all = live.chain(ledger::partitions(DEFAULT_VHOST, &app));
        let cleared = all.map(|partition| self.clear_partition(partition, &in_time));
        Ok(try_join_all(cleared).await?.into_iter().all(|cleared| cleared))
    }

    async fn clear_partition(&self, partition: String, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        while in_time() {
            let keys = self.some_items(&partition, "", Some(KEYS)).await?;
            if keys.is_empty() {
                return Ok(true);
            }
            self.write(keys.into_iter().map(delete).collect::<Result<_, _>>()?).await?;
        }
        Ok(false)
    }

    /// So many items of a partition as a batch takes.
    async fn some_items(&self, pk: &str, prefix: &str, only: Option<&str>) -> Result<Vec<Attributes>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.expression_attribute_values(":pk", s(pk));
        let query = match prefix {
            "" => query.key_condition_expression("PK = :pk"),
            prefix => query
                .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
                .expression_attribute_values(":prefix", s(prefix)),
        };
        let query = query.set_projection_expression(only.map(str::to_owned));
        let limit = i32::try_from(BATCH_MAX).unwrap_or(i32::MAX);
        Ok(query.limit(limit).send().await?.items.unwrap_or_default())
    }
}
