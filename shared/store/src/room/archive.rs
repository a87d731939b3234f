//! The archives of rooms.

use greenroom_core::{
    clock::{Clock, Timestamp},
    id::ArchiveId,
    model::{
        Jid,
        job::Work,
        room::{Membership, RoomEntry},
    },
};

use super::membership::{TOLD_FOR, being_in_room};
use crate::{
    ArchiveWindow, Item, Store, StoreError,
    archive::{entry_key, last_of, raising_high_water_mark},
    attempts::Attempts,
    error::failed_first,
    job::later_put,
    transaction::Committed,
    write::Write,
};

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
            let writes = [
                being_in_room(membership, jid),
                raising_high_water_mark(&archive_of(&membership.archive), at, at),
                room_entry(&membership.archive, &entry)?,
            ];
            let Committed::No(reasons) = self.transact(&writes).await? else { return Ok(Some(entry)) };
            if failed_first(&reasons) {
                return Ok(None);
            }
            attempts.lost_knowingly().await?;
            if let Some(mark) = reasons.into_iter().find_map(|reason| reason.item) {
                entry.timestamp = last_of(mark)?.next().max(clock.now());
            }
        }
    }

    /// Deletes the archive of a room that has ended, until all of it is gone or the time is up. Returns `true` if it is
    /// gone.
    pub(crate) async fn clear_room_archive(
        &self,
        archive: &ArchiveId,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        self.delete_partition(&archive_of(archive), in_time).await
    }
}

/// The write that puts an entry into the archive of a room.
pub(super) fn room_entry(archive: &ArchiveId, entry: &RoomEntry) -> Result<Write, StoreError> {
    Item { key: entry_key(&archive_of(archive), entry.timestamp), kind: "RoomEntry", entity: entry }.put()
}

/// The write that puts the job to delete the archive of a room that ended at this time. The job is due when streams no
/// longer tell of the room.
pub(super) fn deleting_archive(archive: &ArchiveId, at: Timestamp) -> Result<Write, StoreError> {
    later_put(Work::ClearArchive { archive: archive.clone() }, at, (at + TOLD_FOR).next())
}
