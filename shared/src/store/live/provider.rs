//! What the media provider's session monitoring says of names.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use sha2::{Digest, Sha256};

use super::{fitting, part, partition, terminate::message};
use crate::{
    clock::Timestamp,
    id::{CallbackId, ConnectionName, hex},
    model::{
        job::OutboxMessage,
        live::{CALLBACK_KEPT, ProviderConnection, ProviderEvent, Stream, place_among},
    },
    store::{
        Attributes, CONFLICT_ATTEMPTS, Item, JobKey, Key, Store, StoreError, n, pause, s, shard,
        transaction::{Committed, is_failed_condition},
    },
};

/// What the table calls such a connection.
pub(super) const KIND: &str = "ProviderConnection";

/// How the sort keys begin of the provider's connections in a stream: beside those of all streams' connections.
pub(super) fn clients(stream: &Stream) -> String {
    format!("{}#", part(&stream.stream))
}

/// How the sort keys begin of the provider's connections under a name.
fn prefix(stream: &Stream, name: &ConnectionName) -> String {
    format!("{}{}/", clients(stream), part(name.as_str()))
}

fn key(stream: &Stream, name: &ConnectionName, id: &str) -> Option<Key> {
    let pk = partition(&stream.vhost, &stream.app, shard(name.as_str()));
    fitting(Key { pk, sk: format!("{}{}", prefix(stream, name), part(id)) })
}

/// What says whose connection of the provider's this is.
fn owner_key(id: &str) -> Key {
    Key { pk: format!("PROVIDERCLIENT#{}", hex(&Sha256::digest(id))), sk: "PROVIDERCLIENT".to_owned() }
}

/// What stands for a name there; nothing of the name is left in it.
fn owner(stream: &Stream, name: &ConnectionName) -> String {
    let parts = [stream.vhost.as_str(), &stream.app, &stream.stream, name.as_str()];
    hex(&Sha256::digest(parts.map(part).join("/")))
}

fn callback_key(callback: &CallbackId) -> Key {
    Key { pk: format!("CALLBACK#{callback}"), sk: "CALLBACK".to_owned() }
}

/// What the media provider says of a client under a name that we gave out.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// The stream that the name is in.
    pub stream: &'a Stream,
    /// The name.
    pub name: &'a ConnectionName,
    /// What the provider calls the client's connection.
    pub client: &'a str,
    /// What happened to it.
    pub event: &'a ProviderEvent,
    /// The callback that says so.
    pub callback: &'a CallbackId,
}

impl Store {
    /// The provider's ids of the connections that a name has open.
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
        let items = self.items(&partition, &prefix(stream, name)).await?;
        Ok(serde_dynamo::from_items(items)?)
    }

    /// Takes note of what happened to a connection of the provider's. Where nobody may come under its name, the
    /// provider is to be told so: an outbox message, where `is_wanted`.
    ///
    /// Nothing changes by a callback that has been taken note of within ten minutes, by a client that came under
    /// another name first, or by more clients of one name than are kept.
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
        for lost in 0..CONFLICT_ATTEMPTS {
            let (live, kept) = tokio::try_join!(self.live_connection(stream, name), self.clients_of(stream, name))?;
            let (Some(live), Some(place)) = (live, place_among(&kept, id)) else { return Ok(None) };
            let Some((after, changed)) = live.with_provider_event(id, place.known, event, now) else {
                return Ok(None);
            };
            let is_unwanted = changed.is_open() && after.sends_away(now);
            let message = message(&after).filter(|message| is_unwanted && is_wanted(message));
            let mut writes = self.live_change(Some(&live), after, now)?;
            writes.push(self.client_put(&key, &changed)?);
            writes.extend(place.instead_of.map(|gone| self.client_delete(&told, gone)).transpose()?.flatten());
            let message = message.map(|message| self.job_put(message, now)).transpose()?;
            let message = message.map(|(id, put)| {
                writes.push(put);
                id
            });
            let guards = writes.len();
            writes.extend(self.guards(&told, live.expires_at, now)?);
            // Every change of a client's connection is one of the name's, whose revision is looked at.
            match self.transact(writes).await? {
                Committed::Yes => return Ok(message),
                Committed::No(reasons) if reasons.iter().skip(guards).any(is_failed_condition) => return Ok(None),
                Committed::No(_) => pause(lost).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn client_put(&self, key: &Key, client: &ProviderConnection) -> Result<TransactWriteItem, StoreError> {
        let key = Key { pk: key.pk.clone(), sk: key.sk.clone() };
        let item = Item { key, kind: KIND, entity: client }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn client_delete(&self, told: &Told<'_>, gone: &str) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(key) = key(told.stream, told.name, gone) else { return Ok(None) };
        let delete = Delete::builder().table_name(&*self.table).set_key(Some(key.attributes())).build()?;
        Ok(Some(TransactWriteItem::builder().delete(delete).build()))
    }

    /// On condition that the client came under no other name, and that the callback has not been taken note of.
    fn guards(
        &self,
        told: &Told<'_>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let guard = |key: Key, kind: &str, owner: &str, end: Timestamp| {
            let mut item: Attributes = key.attributes();
            item.insert("Type".to_owned(), s(kind));
            item.insert("owner".to_owned(), s(owner));
            item.insert("expiresAt".to_owned(), n(end.seconds()));
            Put::builder()
                .table_name(&*self.table)
                .set_item(Some(item))
                .expression_attribute_values(":now", n(now.seconds()))
        };
        let whose = owner(told.stream, told.name);
        let client = guard(owner_key(told.client), "ProviderClient", &whose, expires_at)
            .condition_expression("attribute_not_exists(PK) OR #owner = :owner OR expiresAt <= :now")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_values(":owner", s(&whose))
            .build()?;
        let callback = guard(callback_key(told.callback), "Callback", &whose, now + CALLBACK_KEPT)
            .condition_expression("attribute_not_exists(PK) OR expiresAt <= :now")
            .build()?;
        Ok([client, callback].map(|put| TransactWriteItem::builder().put(put).build()))
    }
}
