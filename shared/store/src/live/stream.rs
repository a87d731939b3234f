//! The state of a media server's stream: its publishers, and the addresses from which nobody without a name is let in.

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use greenroom_core::{
    clock::{Clock, InTime, Timestamp, seconds},
    id::hex,
    model::{
        job::{SETTLED_AFTER, Work},
        live::{LiveConnection, Publishers, Publishing, Stream, Terms, Webhook},
    },
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    SHARDS,
    admission::{Admitted, Opening},
    change::{Step, live_change},
    partition, prefix, spelt,
};
use crate::{
    Item, Key, Store, StoreError, attempts::Attempts, job::later_put, n, transaction::Committed, write::Write,
};

/// The number of viewers of a shard that are settled at once.
const MAX_CONCURRENT: usize = 4;

/// An address from which nobody without a name is let in.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ban {
    held_until: Timestamp,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

fn key(stream: &Stream, sk: String) -> Key {
    Key { pk: format!("LIVESTREAM#{}", hex(&Sha256::digest(spelt(stream)))), sk }
}

fn publishers_key(stream: &Stream) -> Key {
    key(stream, "PUBLISHERS".to_owned())
}

fn ban_key(stream: &Stream, address: &str) -> Key {
    key(stream, format!("BAN#{}", hex(&Sha256::digest(address))))
}

impl Store {
    /// The publishers that media servers have reported for a stream. `None` if none was reported.
    pub async fn publishers(&self, stream: &Stream) -> Result<Option<Publishers>, StoreError> {
        self.item(publishers_key(stream)).await
    }

    /// Whether a viewer without a name comes from an address from which a viewer was terminated.
    pub(super) async fn is_banned(&self, webhook: &Webhook, now: Timestamp) -> Result<bool, StoreError> {
        if webhook.named {
            return Ok(false);
        }
        let ban: Option<Ban> = self.item(ban_key(&webhook.stream, &webhook.client.address)).await?;
        Ok(ban.is_some_and(|ban| now < ban.held_until))
    }

    /// Records an event of a publisher, and puts a job that settles the viewers of the stream a while later. Settling
    /// them at once could miss a viewer who is being let in at the same time.
    ///
    /// Three requests.
    pub async fn tell_of_publisher(&self, opening: &Opening<'_>, did: Publishing) -> Result<Admitted, StoreError> {
        let Opening { webhook, now, ttl, keeps_viewers, .. } = *opening;
        let Some(key) = super::key(&webhook.stream, &webhook.name, true) else { return Ok(Ok(())) };
        let terms = Terms::new(now, ttl, None, false);
        let mut attempts = Attempts::default();
        loop {
            let before = self.item::<LiveConnection>(Key { pk: key.pk.clone(), sk: key.sk.clone() });
            let (before, known) = tokio::try_join!(before, self.publishers(&webhook.stream))?;
            let after = match did {
                Publishing::Opened => match webhook.open(before.as_ref(), now, &terms) {
                    Ok(after) => after,
                    Err(refusal) => return Ok(Err(refusal)),
                },
                Publishing::Closed => webhook.close(before.as_ref(), now),
                Publishing::Refused => webhook.take_back(before.as_ref(), now),
            };
            let mut writes = match after {
                Some(after) => live_change(before.as_ref(), after, now)?,
                None => Vec::new(),
            };
            if let Some(after) = Publishers::with(known.as_ref(), &webhook.client, did, webhook.at, now) {
                let put = Item { key: publishers_key(&webhook.stream), kind: "Publishers", entity: &after }.put()?;
                writes.push(put.when_unchanged(known.map(|known| known.revision.into())));
                if !keeps_viewers {
                    let settling = Work::SettleViewers { stream: webhook.stream.clone() };
                    writes.push(later_put(settling, now, now + SETTLED_AFTER)?);
                }
            }
            if writes.is_empty() {
                return Ok(Ok(()));
            }
            if let Committed::Yes = self.transact(&writes).await? {
                return Ok(Ok(()));
            }
            attempts.lost().await?;
        }
    }

    /// Ends the viewers whose publisher has left, and lets those stay whose publisher has come, until all are settled
    /// or the time is up. Returns `true` if all are. Running it again changes nothing.
    ///
    /// A request for each shard, and for every 1 MB in it; one for each viewer who changes.
    pub async fn settle_viewers(
        &self,
        stream: &Stream,
        clock: &Clock,
        in_time: InTime<'_>,
    ) -> Result<bool, StoreError> {
        let Some(publishers) = self.publishers(stream).await? else { return Ok(true) };
        let shards = (0..SHARDS).map(|shard| self.settle_shard(stream, shard, &publishers, clock, in_time));
        Ok(try_join_all(shards).await?.into_iter().all(|done| done))
    }

    async fn settle_shard(
        &self,
        stream: &Stream,
        shard: u8,
        publishers: &Publishers,
        clock: &Clock,
        in_time: InTime<'_>,
    ) -> Result<bool, StoreError> {
        let viewers = self.viewers_in(stream, shard).await?;
        let changing = viewers.into_iter().filter(|viewer| viewer.settled(publishers, clock.now()).is_some());
        let settled = stream::iter(changing).map(|viewer| async move {
            if !in_time() {
                return Ok(false);
            }
            let now = clock.now();
            let step = |before: Option<&LiveConnection>| {
                let settled = before.and_then(|before| before.settled(publishers, now));
                settled.map_or(Step::Stay(()), |after| Step::To(Box::new(after), ()))
            };
            self.change_live(Some(viewer), step, Vec::new(), now).await.map(|_| true)
        });
        settled.buffer_unordered(MAX_CONCURRENT).try_fold(true, |all, done| async move { Ok(all && done) }).await
    }

    async fn viewers_in(&self, stream: &Stream, shard: u8) -> Result<Vec<LiveConnection>, StoreError> {
        let query = self.query(partition(&stream.vhost, &stream.app, shard)).prefix(prefix(&stream.stream));
        Ok(serde_dynamo::from_items(query.all().await?)?)
    }
}

/// The write that bans an address for viewers without a name, on condition that it is not banned for longer already.
pub(super) fn ban_put(stream: &Stream, address: &str, until: Timestamp) -> Result<Write, StoreError> {
    let ban = Ban { held_until: until, expires_at: until };
    let put = Item { key: ban_key(stream, address), kind: "Ban", entity: &ban }.put()?;
    Ok(put.when("attribute_not_exists(PK) OR heldUntil < :until").value(":until", n(until.millis())))
}
