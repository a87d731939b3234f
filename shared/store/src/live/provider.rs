//! Connections at the media provider, as its session monitoring reports them for the names of streams.

use greenroom_core::{
    clock::Timestamp,
    id::{CallbackId, ConnectionName, hex},
    model::{
        job::OutboxMessage,
        live::{CALLBACK_KEPT, ProviderConnection, ProviderEvent, Stream, place_among},
    },
};
use sha2::{Digest, Sha256};

use super::{change::live_change, fitting, part, partition, terminate::message};
use crate::{
    Item, JobKey, Key, Store, StoreError, attempts::Attempts, error::is_failed_condition, job::job_put, n, s, shard,
    transaction::Committed, write::Write,
};

/// The `Type` of a provider's connection in the table.
pub(super) const KIND: &str = "ProviderConnection";

/// The prefix of the sort keys of the provider's connections in a stream. They lie apart from the connections of all
/// streams.
pub(super) fn clients(stream: &Stream) -> String {
    format!("{}#", part(&stream.stream))
}

/// The prefix of the sort keys of the provider's connections under a name.
fn prefix(stream: &Stream, name: &ConnectionName) -> String {
    format!("{}{}/", clients(stream), part(name.as_str()))
}

fn key(stream: &Stream, name: &ConnectionName, id: &str) -> Option<Key> {
    let pk = partition(&stream.vhost, &stream.app, shard(name.as_str()));
    fitting(Key { pk, sk: format!("{}{}", prefix(stream, name), part(id)) })
}

/// The key of the item that says which name a provider's connection belongs to.
fn owner_key(id: &str) -> Key {
    Key { pk: format!("PROVIDERCLIENT#{}", hex(&Sha256::digest(id))), sk: "PROVIDERCLIENT".to_owned() }
}

/// A hash of a stream and a name. The name cannot be read from it.
fn owner(stream: &Stream, name: &ConnectionName) -> String {
    let parts = [stream.vhost.as_str(), &stream.app, &stream.stream, name.as_str()];
    hex(&Sha256::digest(parts.map(part).join("/")))
}

fn callback_key(callback: &CallbackId) -> Key {
    Key { pk: format!("CALLBACK#{callback}"), sk: "CALLBACK".to_owned() }
}

/// A callback of the media provider about a client under a name that Greenroom gave out.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The stream of the name.
    pub stream: &'a Stream,
    /// The name.
    pub name: &'a ConnectionName,
    /// The provider's id of the client's connection.
    pub client: &'a str,
    /// The event that the callback reports.
    pub event: &'a ProviderEvent,
    /// The id of the callback.
    pub callback: &'a CallbackId,
}

impl Store {
    /// The provider's ids of the open connections under a name.
    pub async fn provider_connections(
        &self,
        stream: &Stream,
        name: &ConnectionName,
    ) -> Result<Vec<String>, StoreError> {
        let connections = self.clients_of(stream, name).await?;
        Ok(connections.into_iter().filter(ProviderConnection::is_open).map(|connection| connection.id).collect())
    }

    async fn clients_of(&self, stream: &Stream, name: &ConnectionName) -> Result<Vec<ProviderConnection>, StoreError> {
        let partition = partition(&stream.vhost, &stream.app, shard(name.as_str()));
        let items = self.query(partition).prefix(prefix(stream, name)).all().await?;
        Ok(serde_dynamo::from_items(items)?)
    }

    /// Records an event of a provider's connection. If nobody may come under its name and `is_wanted`, puts an outbox
    /// message that has the provider drop it.
    ///
    /// Nothing changes if the callback was recorded within the last ten minutes, if the client came under another name
    /// first, or if the name has more clients than are kept.
    ///
    /// Three requests.
    pub async fn record_provider_event(
        &self,
        told: Told<'_>,
        now: Timestamp,
        is_wanted: impl Fn(&OutboxMessage) -> bool,
    ) -> Result<Option<JobKey>, StoreError> {
        let Told { stream, name, client: id, event, .. } = told;
        let Some(key) = key(stream, name, id) else { return Ok(None) };
        let mut attempts = Attempts::default();
        loop {
            let (live, kept) = tokio::try_join!(self.live_connection(stream, name), self.clients_of(stream, name))?;
            let (Some(live), Some(place)) = (live, place_among(&kept, id)) else { return Ok(None) };
            let Some((after, changed)) = live.with_provider_event(id, place.known, event, now) else {
                return Ok(None);
            };
            let is_unwanted = changed.is_open() && after.sends_away(now);
            let message = message(&after).filter(|message| is_unwanted && is_wanted(message));
            let mut writes = live_change(Some(&live), after, now)?;
            let key = Key { pk: key.pk.clone(), sk: key.sk.clone() };
            writes.push(Item { key, kind: KIND, entity: &changed }.put()?);
            let gone = place.instead_of.and_then(|gone| self::key(stream, name, gone));
            writes.extend(gone.map(Write::delete));
            let message = message.map(|message| job_put(message, now)).transpose()?;
            let message = message.map(|(id, put)| {
                writes.push(put);
                id
            });
            let guarded = writes.len();
            writes.extend(guards(&told, live.expires_at, now));
            // Every change of a client's connection also changes the name's item, on condition of its revision.
            match self.transact(&writes).await? {
                Committed::Yes => return Ok(message),
                Committed::No(reasons) if reasons.iter().skip(guarded).any(is_failed_condition) => return Ok(None),
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }
}

/// The write that records a callback, on condition that it was not recorded within the last ten minutes.
pub(super) fn callback_put(callback: &CallbackId, now: Timestamp) -> Write {
    let key = callback_key(callback);
    let mut item = key.attributes();
    item.insert("Type".to_owned(), s("Callback"));
    item.insert("expiresAt".to_owned(), n((now + CALLBACK_KEPT).seconds()));
    Write::put(item).when("attribute_not_exists(PK) OR expiresAt <= :now").value(":now", n(now.seconds()))
}

/// The conditions that the client came under no other name, and that the callback was not recorded before.
fn guards(told: &Told<'_>, expires_at: Timestamp, now: Timestamp) -> [Write; 2] {
    let whose = owner(told.stream, told.name);
    let mut item = owner_key(told.client).attributes();
    item.insert("Type".to_owned(), s("ProviderClient"));
    item.insert("owner".to_owned(), s(&whose));
    item.insert("expiresAt".to_owned(), n(expires_at.seconds()));
    let client = Write::put(item)
        .when("attribute_not_exists(PK) OR #owner = :owner OR expiresAt <= :now")
        .name("#owner", "owner")
        .value(":owner", s(&whose))
        .value(":now", n(now.seconds()));
    [client, callback_put(told.callback, now)]
}
