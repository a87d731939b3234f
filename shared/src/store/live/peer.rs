//! Viewers of playlists who chose no name and came by way of a proxy (`docs/apis/ovenmediaengine.md`).
//!
//! Of such a viewer the closing knows the proxy only. So it goes by the name that a viewer at the proxy itself would have,
//! and tells nobody which of those behind it has gone: it is taken for the one who came first. How many are left is right.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SHARDS, stream};
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionName, hex},
    model::live::{LiveConnection, REMEMBERED, Webhook},
    store::{
        CONFLICT_ATTEMPTS, Item, Key, Store, StoreError, n, pause,
        record::padded,
        s, shard,
        transaction::{Committed, is_failed_condition},
    },
};

/// How many are read at once of those behind a proxy: the first is wanted.
const PAGE: i32 = 4;

/// A viewer behind a proxy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Behind {
    name: ConnectionName,
    opened_at: Timestamp,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

/// The partition of some of the viewers behind a proxy, by the name that a viewer at the proxy itself would have.
fn partition(webhook: &Webhook, proxy: &ConnectionName, shard: u8) -> String {
    let spelt = format!("{}{}", stream::spelt(&webhook.stream), proxy.as_str());
    format!("LIVEPEER#{}#{shard}", hex(&Sha256::digest(spelt)))
}

fn sorted(at: Timestamp) -> String {
    padded(at.millis().try_into().unwrap_or_default())
}

fn key(webhook: &Webhook, proxy: &ConnectionName, behind: &Behind) -> Key {
    let Behind { name, opened_at, .. } = behind;
    let pk = partition(webhook, proxy, shard(name.as_str()));
    Key { pk, sk: format!("{}/{name}", sorted(*opened_at)) }
}

impl Store {
    /// Has a viewer be found by their proxy; `None` where their closing knows them themselves.
    pub(super) fn behind_put(
        &self,
        webhook: &Webhook,
        until: Timestamp,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(proxy) = webhook.proxy_name() else { return Ok(None) };
        let behind = Behind { name: webhook.name.clone(), opened_at: webhook.at, expires_at: until };
        let item = Item { key: key(webhook, &proxy, &behind), kind: "ViewerBehindProxy", entity: &behind };
        let put = Put::builder().table_name(&*self.table).set_item(Some(item.attributes()?)).build()?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }

    /// Takes note that somebody has gone who came by way of the proxy that this closing is of; `false` where nobody came
    /// by way of it.
    ///
    /// A request for each shard, one more and a transaction; again for each of them who has gone by now.
    pub(super) async fn close_behind(&self, closing: &Webhook, now: Timestamp) -> Result<bool, StoreError> {
        for lost in 0..CONFLICT_ATTEMPTS {
            let Some(behind) = self.first_behind(closing, now).await? else { return Ok(lost > 0) };
            let before = self.live_connection(&closing.stream, &behind.name).await?;
            let own = Webhook { name: behind.name.clone(), ..closing.clone() };
            let after = before.as_ref().and_then(|before| own.close(Some(before), now));
            let live = before.as_ref().filter(|before| before.is_live(now)).zip(after);
            let mut writes = vec![self.behind_delete(closing, &behind)?];
            // Who was cut off has gone since: it is their closing. Of others who are over there comes none any more.
            let is_theirs = live.is_some() || before.as_ref().is_some_and(LiveConnection::is_terminated);
            if is_theirs {
                writes.push(self.told_put(closing, now)?);
            }
            if let Some((before, after)) = live {
                writes.extend(self.live_change(Some(before), after, now)?);
            }
            match self.transact(writes).await? {
                Committed::Yes if is_theirs => return Ok(true),
                Committed::Yes => {}
                // It was told before.
                Committed::No(reasons) if is_theirs && reasons.get(1).is_some_and(is_failed_condition) => {
                    return Ok(true);
                }
                Committed::No(_) => pause(lost).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// Of those behind a proxy who came before this closing the first one.
    async fn first_behind(&self, closing: &Webhook, now: Timestamp) -> Result<Option<Behind>, StoreError> {
        let firsts = (0..SHARDS).map(|shard| async move {
            let query = self
                .client
                .query()
                .table_name(&*self.table)
                .consistent_read(true)
                .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
                .filter_expression("expiresAt > :now")
                .expression_attribute_values(":pk", s(partition(closing, &closing.name, shard)))
                .expression_attribute_values(":first", s("0"))
                .expression_attribute_values(":last", s(sorted(closing.at.next())))
                .expression_attribute_values(":now", n(now.seconds()));
            // Those who are over lie in front, until they are collected.
            let mut found = query.into_paginator().page_size(PAGE).items().send();
            found.try_next().await?.map(serde_dynamo::from_item::<_, Behind>).transpose().map_err(StoreError::from)
        });
        let firsts = try_join_all(firsts).await?.into_iter().flatten();
        Ok(firsts.min_by_key(|behind| behind.opened_at))
    }

    /// On condition that nobody else has taken them for gone.
    fn behind_delete(&self, closing: &Webhook, behind: &Behind) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key(closing, &closing.name, behind).attributes()))
            .condition_expression("attribute_exists(PK)");
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }

    /// Keeps that a closing was told, on condition that it was not before.
    fn told_put(&self, closing: &Webhook, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let told = format!("{}/{}", sorted(closing.at), closing.client.port);
        let key = Key { pk: partition(closing, &closing.name, shard(&told)), sk: format!("CLOSED/{told}") };
        let mut item = key.attributes();
        item.insert("Type".to_owned(), s("ClosingByProxy"));
        item.insert("expiresAt".to_owned(), n((now + REMEMBERED).seconds()));
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)");
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }
}
