//! What the media provider's session monitoring says of names.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::{fitting, part, partition, terminate::errand};
use crate::{
    clock::Timestamp,
    id::{ConnectionName, ErrandId},
    model::{
        live::{ProviderConnection, ProviderEvent, Stream},
        outbox::Errand,
    },
    store::{Item, Key, RACES, Store, StoreError, pause, shard, transaction::Committed},
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

impl Store {
    /// The provider's ids of the connections that a name has open.
    pub async fn provider_connections(
        &self,
        stream: &Stream,
        name: &ConnectionName,
    ) -> Result<Vec<String>, StoreError> {
        let partition = partition(&stream.vhost, &stream.app, shard(name.as_str()));
        let items = self.items(&partition, &prefix(stream, name)).await?;
        let connections: Vec<ProviderConnection> = serde_dynamo::from_items(items)?;
        Ok(connections.into_iter().filter(ProviderConnection::is_open).map(|connection| connection.id).collect())
    }

    /// Takes note of what happened to a connection of the provider's under a name that we gave out. Where nobody may
    /// come under it, the provider is to be told so: an errand, where `is_wanted`.
    ///
    /// Three requests.
    pub async fn record_provider_event(
        &self,
        (stream, name): (&Stream, &ConnectionName),
        id: &str,
        event: &ProviderEvent,
        now: Timestamp,
        is_wanted: impl Fn(&Errand) -> bool,
    ) -> Result<Option<ErrandId>, StoreError> {
        let Some(key) = key(stream, name, id) else { return Ok(None) };
        for lost in 0..RACES {
            let client = self.item::<ProviderConnection>(Key { pk: key.pk.clone(), sk: key.sk.clone() });
            let (live, client) = tokio::try_join!(self.live_connection(stream, name), client)?;
            let Some(live) = live else { return Ok(None) };
            let Some((after, changed)) = live.with_provider_event(id, client.as_ref(), event, now) else {
                return Ok(None);
            };
            let is_unwanted = changed.is_open() && after.sends_away(now);
            let errand = errand(&after).filter(|errand| is_unwanted && is_wanted(errand));
            let mut writes = self.live_change(Some(&live), after, now)?;
            writes.push(self.client_put(&key, &changed)?);
            let errand = errand.map(|errand| self.errand_put(&errand, now)).transpose()?;
            let errand = errand.map(|(id, put)| {
                writes.push(put);
                id
            });
            // Every change of a client's connection is one of the name's, whose revision is looked at.
            if let Committed::Yes = self.transact(writes).await? {
                return Ok(errand);
            }
            pause(lost).await;
        }
        Err(StoreError::Contended)
    }

    fn client_put(&self, key: &Key, client: &ProviderConnection) -> Result<TransactWriteItem, StoreError> {
        let key = Key { pk: key.pk.clone(), sk: key.sk.clone() };
        let item = Item { key, kind: KIND, entity: client }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
