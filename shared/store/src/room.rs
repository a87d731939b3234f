//! Rooms. A room is one item with all of its participants and a revision. A change of its participants is one
//! transaction, on condition of the revision that was read. The same transaction writes the memberships and the entries
//! of the archive.

mod archive;
mod membership;
mod renaming;
mod sign;

use futures_util::{StreamExt, TryStreamExt, future::ready, stream};
use greenroom_core::{
    clock::{Clock, InTime, Timestamp},
    id::{RoomId, hex},
    model::{
        Room,
        room::{Change, Membership, Person, RoomEntry, RoomEvent, RoomRefusal},
    },
};
use sha2::{Digest, Sha256};

use self::archive::archive_of;
pub use self::sign::RoomSign;
pub(super) use self::{
    archive::archive_of as room_archive,
    membership::{memberships_revision_key, revision_of},
};
use self::{
    archive::{deleting_archive, room_entry},
    membership::{having_account, joining_room, leaving_room},
    sign::{putting_sign_up, taking_sign_down},
};
use super::{
    Item, Key, Store, StoreError,
    archive::{last_of, raising_high_water_mark},
    attempts::Attempts,
    error::{failed_first, is_failed_condition},
    n, s,
    transaction::Committed,
    write::Write,
};

/// The index of the write whose condition is that the joining participant's account exists.
const ACCOUNT: usize = 3;
/// How many rooms of one participant are changed at once.
const ROOMS_AT_ONCE: usize = 16;

/// The hash of a room's id for keys. An id may be any text, and keys surface in metrics and logs.
fn hash(id: &RoomId) -> String {
    hex(&Sha256::digest(id.as_str()))
}

fn room_key(id: &RoomId) -> Key {
    Key { pk: format!("ROOM#{}", hash(id)), sk: "ROOM".to_owned() }
}

impl Store {
    /// The room of this id.
    pub async fn room(&self, id: &RoomId) -> Result<Option<Room>, StoreError> {
        self.item(room_key(id)).await
    }

    /// Stores a new room. Returns [`RoomRefusal::NotAllowed`] if there is one with its id.
    ///
    /// One request, a transaction.
    pub async fn insert_room(&self, room: &Room) -> Result<Result<(), RoomRefusal>, StoreError> {
        let put = Item { key: room_key(&room.id), kind: "Room", entity: room }.put()?;
        let mut writes = vec![put.when_new().returning_on_failure()];
        for participant in room.participants() {
            // The membership begins at time 0, whatever the clock says, so that the room's maker is told all of it.
            writes.extend(having_account(&participant.person));
            writes.extend(joining_room(room, &participant.person, Timestamp::default())?);
        }
        writes.push(putting_sign_up(room)?);
        let Committed::No(reasons) = self.transact(&writes).await? else { return Ok(Ok(())) };
        if !failed_first(&reasons) {
            return Ok(Err(RoomRefusal::NoAccount));
        }
        let found = reasons.into_iter().find_map(|reason| reason.item);
        let found: Option<Room> = found.map(serde_dynamo::from_item).transpose()?;
        // The room is ours if an earlier attempt succeeded, and its answer was lost.
        let ours = found.is_some_and(|found| found.archive == room.archive);
        Ok(if ours { Ok(()) } else { Err(RoomRefusal::NotAllowed) })
    }

    /// Applies a transition to a room as it was read, and again to a newer version if another change came in between.
    /// The entries in the archive get the present time, or the next one that the archive does not have.
    ///
    /// One request, a transaction, or none if nothing changes; another if the archive has had an entry in this
    /// millisecond.
    pub async fn change_room(
        &self,
        mut room: Room,
        clock: &Clock,
        host: &str,
        transition: impl Fn(&mut Room) -> Result<Change, RoomRefusal>,
    ) -> Result<Result<(), RoomRefusal>, StoreError> {
        let mut at = clock.now();
        let mut attempts = Attempts::default();
        loop {
            let mut after = room.clone();
            let change = match transition(&mut after) {
                Ok(Change::Nothing) => return Ok(Ok(())),
                Ok(change) => change,
                Err(refusal) => return Ok(Err(refusal)),
            };
            after.revision += 1;
            after.has_sign = true;
            let writes = changing(&room, &after, &change, at, host)?;
            let Committed::No(reasons) = self.transact(&writes).await? else { return Ok(Ok(())) };
            if failed_first(&reasons) {
                attempts.lost().await?;
                match self.room(&room.id).await? {
                    Some(present) if present.archive == room.archive => room = present,
                    _ => return Ok(Err(RoomRefusal::Gone)),
                }
            } else {
                attempts.again()?;
            }
            let joins = match &change {
                Change::Joined(person) | Change::Renamed { to: person, .. } => Some(person),
                Change::Nothing | Change::Configured | Change::Left { .. } | Change::Ended(_) => None,
            };
            let has_account = joins.is_some_and(|person| person.user.is_some());
            if has_account && reasons.get(ACCOUNT).is_some_and(is_failed_condition) {
                return Ok(Err(RoomRefusal::NoAccount));
            }
            // Only the archive's high-water mark is returned with a failed condition.
            if let Some(mark) = reasons.into_iter().find_map(|reason| reason.item) {
                at = last_of(mark)?.next().max(clock.now());
            }
        }
    }

    /// Applies a transition to each room of a participant, until the time is up. Returns `true` if it ran on all of
    /// them.
    async fn in_each_room(
        &self,
        person: &Person,
        clock: &Clock,
        host: &str,
        in_time: InTime<'_>,
        transition: impl Fn(&mut Room) -> Result<Change, RoomRefusal>,
    ) -> Result<bool, StoreError> {
        let Some(user) = person.user else { return Ok(true) };
        let memberships = self.memberships(&person.jid, user).await?;
        let transition = &transition;
        let change = |membership: Membership| async move {
            if !in_time() {
                return Ok(false);
            }
            let Some(room) = self.room(&membership.room).await? else { return Ok(true) };
            // If the participant has been renamed again, the room is left for another look. Any other refusal means
            // that they are not in the room any more.
            let outcome = self.change_room(room, clock, host, transition).await?;
            Ok(outcome != Err(RoomRefusal::NoAccount))
        };
        let changed = stream::iter(memberships).map(change).buffer_unordered(ROOMS_AT_ONCE);
        changed.try_fold(true, |all, changed| ready(Ok(all && changed))).await
    }
}

fn changing(before: &Room, after: &Room, change: &Change, at: Timestamp, host: &str) -> Result<Vec<Write>, StoreError> {
    let mut writes = Vec::new();
    match change {
        Change::Nothing => {}
        Change::Configured => writes.push(replacing_room(before, after)?),
        Change::Joined(person) => {
            writes.push(replacing_room(before, after)?);
            writes.extend(joining_room(after, person, at)?);
            writes.extend(having_account(person));
        }
        Change::Left { jid, .. } => {
            writes.push(replacing_room(before, after)?);
            writes.extend(leaving_room(after, jid, at));
        }
        Change::Renamed { from, to, .. } => {
            writes.push(replacing_room(before, after)?);
            writes.extend(joining_room(after, to, at)?);
            writes.extend(having_account(to));
            writes.extend(leaving_room(after, from, at));
        }
        Change::Ended(jid) => {
            writes.push(when_as_read(Write::delete(room_key(&before.id)), before));
            writes.push(deleting_archive(&before.archive, at)?);
            writes.extend(leaving_room(after, jid, at));
        }
    }
    writes.extend(telling(after, change, at, host)?);
    match change {
        Change::Ended(_) => writes.push(taking_sign_down(before)),
        Change::Configured => writes.push(putting_sign_up(after)?),
        _ if !before.has_sign => writes.push(putting_sign_up(after)?),
        _ => {}
    }
    Ok(writes)
}

/// The writes of a change to the archive.
fn telling(room: &Room, change: &Change, at: Timestamp, host: &str) -> Result<Vec<Write>, StoreError> {
    let mut entries: Vec<RoomEntry> = Vec::new();
    for (user, affiliation) in change.affiliations() {
        let event = RoomEvent::Affiliation { from: room.id.at(host), user, affiliation };
        let at = entries.last().map_or(at, |last| last.timestamp.next());
        entries.push(RoomEntry::new(event, at));
    }
    let Some(last) = entries.last() else { return Ok(Vec::new()) };
    let mark = raising_high_water_mark(&archive_of(&room.archive), at, last.timestamp);
    let puts = entries.iter().map(|entry| room_entry(&room.archive, entry));
    std::iter::once(Ok(mark)).chain(puts).collect()
}

fn replacing_room(before: &Room, after: &Room) -> Result<Write, StoreError> {
    Ok(when_as_read(Item { key: room_key(&after.id), kind: "Room", entity: after }.put()?, before))
}

/// A write of a room, on condition that the room is still as it was read.
fn when_as_read(write: Write, room: &Room) -> Write {
    write
        .when("#archive = :archive AND revision = :seen")
        .name("#archive", "archive")
        .value(":archive", s(room.archive.as_str()))
        .value(":seen", n(room.revision))
}
