//! Ending the connections of what is deleted.

use futures_util::future::try_join_all;
use serde::Deserialize;

use super::{SHARDS, delete, ledger, partition, prefix, provider, put};
use crate::{
    clock::Timestamp,
    id::{ErrandId, ProviderSessionId},
    model::{
        live::{DEFAULT_VHOST, EndReason, LiveConnection, Stream},
        outbox::Errand,
    },
    store::{Attributes, Store, StoreError, batch::BATCH_MAX, outbox::errand_item, s},
};

/// Which attributes a deletion reads.
const KEYS: &str = "PK, SK, #type, id, providerSession, createdAt, destroyedAt";

/// A client's connection at the media provider, as far as dropping it goes.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Client {
    id: String,
    provider_session: Option<ProviderSessionId>,
    created_at: Option<Timestamp>,
    destroyed_at: Option<Timestamp>,
}

impl Client {
    /// What the provider is to be told; `None` where the client has gone.
    fn errand(self) -> Option<Errand> {
        let Self { id, provider_session, created_at, destroyed_at } = self;
        let is_open = created_at.is_some() && destroyed_at.is_none();
        let provider_session = provider_session.filter(|_| is_open)?;
        Some(Errand::DisconnectClient { provider_session, connection: id })
    }
}

impl Store {
    /// Ends all live connections of a stream, and says so in the ledger, until all have ended or the time is up; what the
    /// media provider is to be told of those who are there.
    ///
    /// Two requests for each shard, four more for every 25 connections in it, and three for every 25 clients.
    pub async fn end_live_connections(
        &self,
        stream: &Stream,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Vec<ErrandId>, StoreError> {
        let in_time = &in_time;
        let shards = (0..SHARDS).map(|shard| async move {
            // In this order: under a name that is gone no client comes any more.
            self.end_connections_in(stream, shard, now, in_time).await?;
            let partition = partition(&stream.vhost, &stream.app, shard);
            let (_, errands) = self.clear_partition(partition, &provider::clients(stream), now, in_time).await?;
            Ok::<_, StoreError>(errands)
        });
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    async fn end_connections_in(
        &self,
        stream: &Stream,
        shard: u8,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<(), StoreError> {
        let partition = partition(&stream.vhost, &stream.app, shard);
        while in_time() {
            let items = self.some_items(&partition, &prefix(&stream.stream), None).await?;
            if items.is_empty() {
                break;
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
        Ok(())
    }

    /// Deletes what there is of an event's connections, the ledger included, until all of it is gone or the time is up;
    /// `true` where it is gone. Who is there is dropped by errands.
    ///
    /// Two requests for each shard, and two more for every 25 items in it; another where clients are there.
    pub async fn clear_live_connections(
        &self,
        event: u64,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        let app = event.to_string();
        let live = (0..SHARDS).map(|shard| partition(DEFAULT_VHOST, &app, shard));
        let all = live.chain(ledger::partitions(DEFAULT_VHOST, &app));
        let cleared = all.map(|partition| self.clear_partition(partition, "", now, &in_time));
        Ok(try_join_all(cleared).await?.into_iter().all(|(cleared, _)| cleared))
    }

    /// Deletes what lies in a partition behind sort keys that begin so; whether all of it is gone, and the errands that
    /// drop the clients among it.
    async fn clear_partition(
        &self,
        partition: String,
        prefix: &str,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<(bool, Vec<ErrandId>), StoreError> {
        let mut dropping = Vec::new();
        while in_time() {
            let items = self.some_items(&partition, prefix, Some(KEYS)).await?;
            if items.is_empty() {
                return Ok((true, dropping));
            }
            let (ids, errands): (Vec<_>, Vec<_>) = errands(&items, now)?.into_iter().unzip();
            dropping.extend(ids);
            // Before the clients go, so that none is forgotten.
            self.write_all(&errands.into_iter().map(put).collect::<Result<Vec<_>, _>>()?).await?;
            self.write(items.into_iter().map(key_only).map(delete).collect::<Result<_, _>>()?).await?;
        }
        Ok((false, dropping))
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
        let query = match only {
            Some(only) => query.projection_expression(only).expression_attribute_names("#type", "Type"),
            None => query,
        };
        let limit = i32::try_from(BATCH_MAX).unwrap_or(i32::MAX);
        Ok(query.limit(limit).send().await?.items.unwrap_or_default())
    }
}

/// What drops the clients among these items.
fn errands(items: &[Attributes], now: Timestamp) -> Result<Vec<(ErrandId, Attributes)>, StoreError> {
    let is_client = |item: &&Attributes| item.get("Type") == Some(&s(provider::KIND));
    let clients = items.iter().filter(is_client).map(|item| serde_dynamo::from_item::<_, Client>(item.clone()));
    let clients = clients.collect::<Result<Vec<_>, _>>()?;
    clients.into_iter().filter_map(Client::errand).map(|errand| errand_item(&errand, now)).collect()
}

fn key_only(mut item: Attributes) -> Attributes {
    item.retain(|name, _| name == "PK" || name == "SK");
    item
}
