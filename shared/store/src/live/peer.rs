//! Viewers of playlists who chose no name and came through a proxy (`docs/apis/ovenmediaengine.md`).
//!
//! The closing of such a viewer knows the proxy only. It uses the name that a viewer at the proxy itself would have,
//! and does not tell which viewer behind the proxy has gone. It is counted as the closing of the viewer who came first.
//! So the number of those who are left is right.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use futures_util::future::try_join_all;
use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{ConnectionName, hex},
    model::live::{LiveConnection, REMEMBERED, Webhook},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SHARDS, stream};
use crate::{
    Item, Key, Store, StoreError, attempts::Attempts, error::is_failed_condition, n, record::padded, s, shard,
    transaction::Committed,
};

/// The number of viewers behind a proxy that are read at once. Only the first is wanted.
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

/// A shard of the viewers behind a proxy. The key uses the name that a viewer at the proxy itself would have.
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
    /// The write that lists a viewer under their proxy. `None` if their closing will name the viewer directly.
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

    /// Records that a viewer has gone who came through the proxy of this closing. Returns `false` if nobody came
    /// through it.
    ///
    /// A request for each shard, one more and a transaction. All again for each viewer found who is already over.
    pub(super) async fn close_behind(&self, closing: &Webhook, now: Timestamp) -> Result<bool, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let Some(behind) = self.first_behind(closing, now).await? else { return Ok(attempts.any()) };
            let before = self.live_connection(&closing.stream, &behind.name).await?;
            let own = Webhook { name: behind.name.clone(), ..closing.clone() };
            let after = before.as_ref().and_then(|before| own.close(Some(before), now));
            let live = before.as_ref().filter(|before| before.is_live(now)).zip(after);
            let mut writes = vec![self.behind_delete(closing, &behind)?];
            // A viewer who was cut off has left since, so the closing is theirs. Others who are over send no more
            // closings.
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
                // This closing was recorded before.
                Committed::No(reasons) if is_theirs && reasons.get(1).is_some_and(is_failed_condition) => {
                    return Ok(true);
                }
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }

    /// The first viewer behind a proxy who came before this closing.
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
            // Viewers who are over lie in front until TTL deletes them.
            let mut found = query.into_paginator().page_size(PAGE).items().send();
            found.try_next().await?.map(serde_dynamo::from_item::<_, Behind>).transpose().map_err(StoreError::from)
        });
        let firsts = try_join_all(firsts).await?.into_iter().flatten();
        Ok(firsts.min_by_key(|behind| behind.opened_at))
    }

    /// The write that takes a viewer off the list, on condition that no other request has.
    fn behind_delete(&self, closing: &Webhook, behind: &Behind) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key(closing, &closing.name, behind).attributes()))
            .condition_expression("attribute_exists(PK)");
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }

    /// The write that records a closing, on condition that it was not recorded before.
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
