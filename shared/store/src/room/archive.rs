//! The archives of rooms.

use aws_sdk_dynamodb::types::{DeleteRequest, Put, TransactWriteItem, WriteRequest};
use greenroom_core::{
    clock::{Clock, Timestamp},
    id::ArchiveId,
    model::{
        Jid,
        job::Work,
        room::{Membership, RoomEntry},
    },
};

use super::membership::TOLD_FOR;
use crate::{
    ArchiveWindow, Attributes, Item, Key, Store, StoreError,
    archive::{entry_key, last_of},
    attempts::Attempts,
    error::is_failed_condition,
    s,
    transaction::Committed,
};

/// The largest number of items that a batch deletes.
pub(crate) const PIECE: usize = 25;

/// The archive of a room.
pub(crate) fn archive_of(archive: &ArchiveId) -> String {
    format!("ROOMARCHIVE#{archive}")
}

impl Store {
    /// Entries of a room's archive, the oldest first.
    ///
    /// One request, however many there are.
    pub async fn room_entries(&self, archive: &ArchiveId, window: ArchiveWindow) -> Result<Vec<RoomEntry>, StoreError> {
        self.archived(&archive_of(archive), window).await
    }

    /// Adds an entry to the archive of a room, with the next time that the archive does not have. `None` if the sender
    /// is no longer in the room.
    ///
    /// One request, a transaction, however many are in the room; another if the archive has had an entry in this
    /// millisecond.
    pub async fn insert_room_entry(
        &self,
        membership: &Membership,
        jid: &Jid,
        mut entry: RoomEntry,
        clock: &Clock,
    ) -> Result<Option<RoomEntry>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
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
            attempts.lost_knowingly().await?;
            if let Some(head) = reasons.into_iter().find_map(|reason| reason.item) {
                entry.timestamp = last_of(head)?.next().max(clock.now());
            }
        }
    }

    pub(super) fn room_entry(&self, archive: &ArchiveId, entry: &RoomEntry) -> Result<TransactWriteItem, StoreError> {
        let key = entry_key(&archive_of(archive), entry.timestamp);
        let item = Item { key, kind: "RoomEntry", entity: entry }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// The write that puts the job to delete the archive of a room that ended at this time. The job is due when streams
    /// no longer tell of the room.
    pub(super) fn leaving_archive(&self, archive: &ArchiveId, at: Timestamp) -> Result<TransactWriteItem, StoreError> {
        self.later_put(Work::ClearArchive { archive: archive.clone() }, at, (at + TOLD_FOR).next())
    }

    /// Deletes the archive of a room that has ended, until all of it is gone or the time is up. Returns `true` if it is
    /// gone.
    pub(crate) async fn clear_room_archive(
        &self,
        archive: &ArchiveId,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        self.clear_partition_of(&archive_of(archive), in_time).await
    }

    /// Deletes all items of a partition, until all are gone or the time is up. Returns `true` if they are gone.
    pub(crate) async fn clear_partition_of(&self, pk: &str, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        loop {
            let keys = self.some_keys(pk).await?;
            if keys.is_empty() {
                return Ok(true);
            }
            self.delete_keys(keys).await?;
            if !in_time() {
                return Ok(false);
            }
        }
    }

    /// The keys of some items of a partition.
    async fn some_keys(&self, pk: &str) -> Result<Vec<Key>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.key_condition_expression("PK = :pk").expression_attribute_values(":pk", s(pk));
        let query = query.projection_expression("PK, SK").limit(i32::try_from(PIECE).unwrap_or(i32::MAX));
        Ok(serde_dynamo::from_items(query.send().await?.items.unwrap_or_default())?)
    }

    /// Deletes at most [`PIECE`] items.
    pub(crate) async fn delete_keys(&self, keys: Vec<Key>) -> Result<(), StoreError> {
        let delete = |key: Attributes| {
            let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
            Ok::<_, StoreError>(WriteRequest::builder().delete_request(delete).build())
        };
        let deletes = keys.into_iter().map(|key| delete(key.attributes())).collect::<Result<Vec<_>, _>>()?;
        self.write(deletes).await
    }
}
