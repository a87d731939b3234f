//! Viewers of playlists who chose no name and came through a proxy (`docs/apis/ovenmediaengine.md`).
//!
//! The closing of such a viewer knows the proxy only. It uses the name that a viewer at the proxy itself would have,
//! and does not tell which viewer behind the proxy has gone. It is counted as the closing of the viewer who came first.
//! So the number of those who are left is right.

use futures_util::future::try_join_all;
use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{ConnectionName, hex},
    model::live::{LiveConnection, REMEMBERED, Webhook},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SHARDS, change::live_change, spelt};
use crate::{
    Item, Key, Store, StoreError, attempts::Attempts, error::is_failed_condition, n, record::padded, s, shard,
    transaction::Committed, write::Write,
};

/// The number of viewers behind a proxy that are read at once. Only the first is wanted.
const PAGE: usize = 4;

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
    let text = format!("{}{}", spelt(&webhook.stream), proxy.as_str());
    format!("LIVEPEER#{}#{shard}", hex(&Sha256::digest(text)))
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
            let mut writes = vec![Write::delete(key(closing, &closing.name, &behind)).when_there()];
            // A viewer who was cut off has left since, so the closing is theirs. Others who are over send no more
            // closings.
            let is_theirs = live.is_some() || before.as_ref().is_some_and(LiveConnection::is_terminated);
            if is_theirs {
                writes.push(told_put(closing, now));
            }
            if let Some((before, after)) = live {
                writes.extend(live_change(Some(before), after, now)?);
            }
            match self.transact(&writes).await? {
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
            let query = self.query(partition(closing, &closing.name, shard));
            // Viewers who are over lie in front until TTL deletes them.
            let query = query.between("0", sorted(closing.at.next())).unexpired(now).limit(PAGE);
            let found = query.first().await?;
            found.map(serde_dynamo::from_item::<_, Behind>).transpose().map_err(StoreError::from)
        });
        let firsts = try_join_all(firsts).await?.into_iter().flatten();
        Ok(firsts.min_by_key(|behind| behind.opened_at))
    }
}

/// The write that lists a viewer under their proxy. `None` if their closing will name the viewer directly.
pub(super) fn behind_put(webhook: &Webhook, until: Timestamp) -> Result<Option<Write>, StoreError> {
    let Some(proxy) = webhook.proxy_name() else { return Ok(None) };
    let behind = Behind { name: webhook.name.clone(), opened_at: webhook.at, expires_at: until };
    let key = key(webhook, &proxy, &behind);
    Item { key, kind: "ViewerBehindProxy", entity: &behind }.put().map(Some)
}

/// The write that records a closing, on condition that it was not recorded before.
fn told_put(closing: &Webhook, now: Timestamp) -> Write {
    let told = format!("{}/{}", sorted(closing.at), closing.client.port);
    let key = Key { pk: partition(closing, &closing.name, shard(&told)), sk: format!("CLOSED/{told}") };
    let mut item = key.attributes();
    item.insert("Type".to_owned(), s("ClosingByProxy"));
    item.insert("expiresAt".to_owned(), n((now + REMEMBERED).seconds()));
    Write::put(item).when_new()
}
