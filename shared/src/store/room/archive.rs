//! The archives of rooms, and what is left of those of rooms that have ended.

use aws_sdk_dynamodb::types::{DeleteRequest, Put, TransactWriteItem, WriteRequest};
use serde::{Deserialize, Serialize};

use super::membership::TOLD_FOR;
use crate::{
    clock::{Clock, Timestamp},
    id::ArchiveId,
    model::{
        Jid,
        room::{Membership, RoomEntry},
    },
    store::{
        ArchiveWindow, Attributes, Item, Key, RACES, Store, StoreError,
        archive::{entry_key, last_of},
        pause,
        record::padded,
        s,
        transaction::{Committed, is_failed_condition},
    },
};

/// The partition of the archives of rooms that have ended.
const ENDED: &str = "ENDEDROOMS";
/// A sort key behind all that there are.
const LAST: &str = "~";
/// How many items a batch deletes at most.
pub(in crate::store) const PIECE: usize = 25;

/// The archive of a room.
pub(in crate::store) fn archive_of(archive: &ArchiveId) -> String {
    format!("ROOMARCHIVE#{archive}")
}

/// Archives lie in the order in which their rooms ended.
fn ended_key(archive: &ArchiveId, at: Timestamp) -> Key {
    Key { pk: ENDED.to_owned(), sk: format!("{}/{archive}", padded(at.millis().try_into().unwrap_or_default())) }
}

/// An archive whose room has ended.
#[derive(Serialize, Deserialize)]
struct EndedRoom {
    archive: ArchiveId,
}

impl Store {
    /// Entries of a room's archive, the oldest first.
    ///
    /// One request, however many there are.
    pub async fn room_entries(&self, archive: &ArchiveId, window: ArchiveWindow) -> Result<Vec<RoomEntry>, StoreError> {
        self.archived(&archive_of(archive), window).await
    }

    /// Adds an entry to the archive of a room that somebody is in, with the next time that it has not; `None` where they
    /// are no longer in it.
    ///
    /// One request, a transaction, however many are in the room; another where the archive has had an entry in this
    /// millisecond.
    pub async fn insert_room_entry(
        &self,
        membership: &Membership,
        jid: &Jid,
        mut entry: RoomEntry,
        clock: &Clock,
    ) -> Result<Option<RoomEntry>, StoreError> {
        for lost in 0..RACES {
            let at = entry.timestamp;
            let writes = vec![
                self.being_in_room(membership, jid)?,
                self.move_head(&archive_of(&membership.archive), at, at)?,
                self.room_entry(&membership.archive, &entry)?,
            ];
            let Committed::No(reasons) = self.transact(writes).await? else { return Ok(Some(entry)) };
            if reasons.first().is_some_and(is_failed_condition) {
                return Ok(None);
            }
            if lost > 0 {
                pause(lost).await;
            }
            if let Some(head) = reasons.into_iter().find_map(|reason| reason.item) {
                entry.timestamp = last_of(head)?.next().max(clock.now());
            }
        }
        Err(StoreError::Contended)
    }

    pub(super) fn room_entry(&self, archive: &ArchiveId, entry: &RoomEntry) -> Result<TransactWriteItem, StoreError> {
        let key = entry_key(&archive_of(archive), entry.timestamp);
        let item = Item { key, kind: "RoomEntry", entity: entry }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Says that an archive is left to be deleted.
    pub(super) fn leaving_archive(&self, archive: &ArchiveId, at: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let ended = EndedRoom { archive: archive.clone() };
        let item = Item { key: ended_key(archive, at), kind: "EndedRoom", entity: &ended }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Deletes what is left of rooms that ended so long ago that nobody is told of it any more, until all of it is gone or
    /// the time is up; `true` where it is gone. Another call goes on where this one stopped.
    pub async fn clear_ended_rooms(&self, now: Timestamp, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        let untold = padded((now - TOLD_FOR).millis().try_into().unwrap_or_default());
        while in_time() {
            let ended = self.some_keys(ENDED, &untold).await?;
            let Some(ended) = ended.into_iter().next() else { return Ok(true) };
            let archive = ended.sk.split_once('/').map_or(ended.sk.as_str(), |(_, archive)| archive);
            if !self.clear_partition_of(&format!("ROOMARCHIVE#{archive}"), &in_time).await? {
                return Ok(false);
            }
            self.delete_keys(vec![ended]).await?;
        }
        Ok(false)
    }

    /// Deletes all items of a partition, until all are gone or the time is up; `true` where they are gone.
    pub(in crate::store) async fn clear_partition_of(
        &self,
        pk: &str,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        loop {
            let keys = self.some_keys(pk, LAST).await?;
            if keys.is_empty() {
                return Ok(true);
            }
            self.delete_keys(keys).await?;
            if !in_time() {
                return Ok(false);
            }
        }
    }

    /// The keys of some items of a partition, before this sort key.
    async fn some_keys(&self, pk: &str, before: &str) -> Result<Vec<Key>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.key_condition_expression("PK = :pk AND SK < :before");
        let query = query.expression_attribute_values(":pk", s(pk)).expression_attribute_values(":before", s(before));
        let query = query.projection_expression("PK, SK").limit(i32::try_from(PIECE).unwrap_or(i32::MAX));
        Ok(serde_dynamo::from_items(query.send().await?.items.unwrap_or_default())?)
    }

    /// Deletes at most [`PIECE`] items.
    pub(in crate::store) async fn delete_keys(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let delete = |key: Attributes| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
            Ok::<_, StoreError>(WriteRequest::builder().delete_request(delete).build())
        };
        let deletes = keys.into_iter().map(|key| delete(key.attributes())).collect::<Result<Vec<_>, _>>()?;
        self.write(deletes).await
    }
}
