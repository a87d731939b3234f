//! Ending the connections of sessions and events that are deleted.

use futures_util::future::try_join_all;
use greenroom_core::{
    clock::Timestamp,
    id::ProviderSessionId,
    model::{
        job::OutboxMessage,
        live::{DEFAULT_VHOST, EndReason, EndedBy, LiveConnection, Stream},
    },
};
use serde::Deserialize;

use super::{SHARDS, ledger, partition, prefix, provider};
use crate::{
    Attributes, JobKey, Store, StoreError, Worked,
    batch::{BATCH_MAX, delete, put},
    job::job_item,
    s,
};

/// The attributes that a deletion reads.
const KEYS: &str = "PK, SK, #type, id, providerSession, createdAt, destroyedAt";

/// The attributes of a client's connection at the media provider that dropping it needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionToDrop {
    id: String,
    provider_session: Option<ProviderSessionId>,
    created_at: Option<Timestamp>,
    destroyed_at: Option<Timestamp>,
}

impl ConnectionToDrop {
    /// The outbox message that has the provider drop the client; `None` if the client has gone.
    fn message(self) -> Option<OutboxMessage> {
        let Self { id, provider_session, created_at, destroyed_at } = self;
        let is_open = created_at.is_some() && destroyed_at.is_none();
        let provider_session = provider_session.filter(|_| is_open)?;
        Some(OutboxMessage::DisconnectClient { provider_session, connection: id })
    }
}

impl Store {
    /// Ends all live connections of a stream at this time and writes their ledger entries, until all have ended or the
    /// time is up. Returns whether all have ended, and the outbox messages that drop their clients.
    ///
    /// Two requests for each shard, five more for every 25 connections in it, and three for every 25 clients.
    pub async fn end_live_connections(
        &self,
        stream: &Stream,
        by: EndedBy,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        let in_time = &in_time;
        let shards = (0..SHARDS).map(|shard| async move {
            // The names end first, so that no further client can come under them.
            if !self.end_connections_in(stream, shard, by, at, in_time).await? {
                return Ok(Worked { done: false, messages: Vec::new() });
            }
            let partition = partition(&stream.vhost, &stream.app, shard);
            self.clear_partition(partition, &provider::clients(stream), at, in_time).await
        });
        Ok(try_join_all(shards).await?.into_iter().collect())
    }

    async fn end_connections_in(
        &self,
        stream: &Stream,
        shard: u8,
        by: EndedBy,
        at: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        let partition = partition(&stream.vhost, &stream.app, shard);
        while in_time() {
            let items = self.query(&partition).prefix(prefix(&stream.stream)).limit(BATCH_MAX).send().await?.items;
            if items.is_empty() {
                return Ok(true);
            }
            let (mut ends, mut deletes) = (Vec::new(), Vec::new());
            for connection in serde_dynamo::from_items::<_, LiveConnection>(items)? {
                deletes.push(delete(super::key_of(&connection)?.attributes())?);
                let is_live = connection.is_live(at);
                let ended = connection.clone().ended(at, EndReason::SESSION_CLOSED, by);
                let (old, new) =
                    if is_live { ledger::changed_items(Some(&connection), &ended, at)? } else { (None, None) };
                ends.extend(old.map(|key| delete(key.attributes())).transpose()?);
                ends.extend(new.map(put).transpose()?);
            }
            // If the deletion fails after this, the next attempt finds the connection and writes the same entry again.
            self.write_all(ends).await?;
            self.write_all(deletes).await?;
        }
        Ok(false)
    }

    /// Deletes all of an event's connections and their ledger entries, until all are gone or the time is up. Returns
    /// whether all are gone, and the outbox messages that drop their clients.
    ///
    /// Two requests for each shard, and two more for every 25 items in it; another if there are clients.
    pub async fn clear_live_connections(
        &self,
        event: u64,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        let app = event.to_string();
        let live = (0..SHARDS).map(|shard| partition(DEFAULT_VHOST, &app, shard));
        let all = live.chain(ledger::partitions(DEFAULT_VHOST, &app));
        let cleared = all.map(|partition| self.clear_partition(partition, "", now, &in_time));
        Ok(try_join_all(cleared).await?.into_iter().collect())
    }

    /// Deletes the items of a partition whose sort keys begin with this prefix. Returns whether all are gone, and the
    /// outbox messages that drop the clients among them.
    async fn clear_partition(
        &self,
        partition: String,
        prefix: &str,
        now: Timestamp,
        in_time: impl Fn() -> bool,
    ) -> Result<Worked, StoreError> {
        let mut messages = Vec::new();
        while in_time() {
            let query = self.query(&partition).prefix(prefix).only(KEYS).name("#type", "Type");
            let items = query.limit(BATCH_MAX).send().await?.items;
            if items.is_empty() {
                return Ok(Worked { done: true, messages });
            }
            let (keys, dropping): (Vec<_>, Vec<_>) = dropping(&items, now)?.into_iter().unzip();
            messages.extend(keys);
            // The outbox messages are put before the clients' items go, so that no client is forgotten.
            self.write_all(dropping.into_iter().map(put).collect::<Result<_, _>>()?).await?;
            self.write_batch(items.into_iter().map(delete).collect::<Result<_, _>>()?).await?;
        }
        Ok(Worked { done: false, messages })
    }
}

/// The jobs that drop the clients among these items.
fn dropping(items: &[Attributes], now: Timestamp) -> Result<Vec<(JobKey, Attributes)>, StoreError> {
    let is_client = |item: &&Attributes| item.get("Type") == Some(&s(provider::KIND));
    let clients =
        items.iter().filter(is_client).map(|item| serde_dynamo::from_item::<_, ConnectionToDrop>(item.clone()));
    let clients = clients.collect::<Result<Vec<_>, _>>()?;
    clients.into_iter().filter_map(ConnectionToDrop::message).map(|message| job_item(message.into(), now)).collect()
}
