//! Rooms. A room is one item with all of its participants and a revision. A change of its participants is one
//! transaction, on condition of the revision that was read. The same transaction writes the memberships and the entries
//! of the archive.

mod archive;
mod membership;
mod renaming;
mod sign;

use aws_sdk_dynamodb::types::{Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem};
use futures_util::{StreamExt, TryStreamExt, future::ready, stream};
use greenroom_core::{
    clock::{Clock, InTime, Timestamp},
    id::{RoomId, hex},
    model::{
        Room,
        room::{Change, Membership, Person, Refusal, RoomEntry, RoomEvent},
    },
};
use sha2::{Digest, Sha256};

use self::archive::archive_of;
pub use self::sign::RoomSign;
pub(super) use self::{
    archive::{PIECE, archive_of as room_archive},
    membership::{memberships_head, revision_of},
};
use super::{
    Item, Key, Store, StoreError,
    archive::last_of,
    attempts::Attempts,
    error::{failed_first, is_failed_condition},
    n, s,
    transaction::Committed,
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

    /// Stores a new room. Returns [`Refusal::NotAllowed`] if there is one with its id.
    ///
    /// One request, a transaction.
    pub async fn insert_room(&self, room: &Room) -> Result<Result<(), Refusal>, StoreError> {
        let item = Item { key: room_key(&room.id), kind: "Room", entity: room }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item));
        let put = put.condition_expression("attribute_not_exists(PK)");
        let put = put.return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld).build()?;
        let mut writes = vec![TransactWriteItem::builder().put(put).build()];
        for participant in room.participants() {
            // The membership begins at time 0, whatever the clock says, so that the room's maker is told all of it.
            writes.extend(self.having_account(&participant.person)?);
            writes.extend(self.joining_room(room, &participant.person, Timestamp::default())?);
        }
        writes.push(self.putting_sign_up(room)?);
        let Committed::No(reasons) = self.transact(writes).await? else { return Ok(Ok(())) };
        if !failed_first(&reasons) {
            return Ok(Err(Refusal::NoAccount));
        }
        let found = reasons.into_iter().find_map(|reason| reason.item);
        let found: Option<Room> = found.map(serde_dynamo::from_item).transpose()?;
        // The room is ours if an earlier attempt succeeded, and its answer was lost.
        let ours = found.is_some_and(|found| found.archive == room.archive);
        Ok(if ours { Ok(()) } else { Err(Refusal::NotAllowed) })
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
        transition: impl Fn(&mut Room) -> Result<Change, Refusal>,
    ) -> Result<Result<(), Refusal>, StoreError> {
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
            let Committed::No(reasons) = self.transact(self.changing(&room, &after, &change, at, host)?).await? else {
                return Ok(Ok(()));
            };
            if failed_first(&reasons) {
                attempts.lost().await?;
                match self.room(&room.id).await? {
                    Some(present) if present.archive == room.archive => room = present,
                    _ => return Ok(Err(Refusal::Gone)),
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
                return Ok(Err(Refusal::NoAccount));
            }
            // Only the archive's head is returned with a failed condition.
            if let Some(head) = reasons.into_iter().find_map(|reason| reason.item) {
                at = last_of(head)?.next().max(clock.now());
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
        transition: impl Fn(&mut Room) -> Result<Change, Refusal>,
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
            Ok(outcome != Err(Refusal::NoAccount))
        };
        let changed = stream::iter(memberships).map(change).buffer_unordered(ROOMS_AT_ONCE);
        changed.try_fold(true, |all, changed| ready(Ok(all && changed))).await
    }

    fn changing(
        &self,
        before: &Room,
        after: &Room,
        change: &Change,
        at: Timestamp,
        host: &str,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut writes = match change {
            Change::Nothing => Vec::new(),
            Change::Configured => vec![self.replacing_room(before, after)?],
            Change::Joined(person) => {
                let joining = self.joining_room(after, person, at)?.into_iter().chain(self.having_account(person)?);
                std::iter::once(self.replacing_room(before, after)?).chain(joining).collect()
            }
            Change::Left { jid, .. } => {
                let leaving = self.leaving_room(after, jid, at)?;
                std::iter::once(self.replacing_room(before, after)?).chain(leaving).collect()
            }
            Change::Renamed { from, to, .. } => {
                let joining = self.joining_room(after, to, at)?.into_iter().chain(self.having_account(to)?);
                let moving = joining.chain(self.leaving_room(after, from, at)?);
                std::iter::once(self.replacing_room(before, after)?).chain(moving).collect()
            }
            Change::Ended(jid) => {
                let leaving = self.leaving_room(after, jid, at)?;
                [self.ending_room(before)?, self.leaving_archive(&before.archive, at)?]
                    .into_iter()
                    .chain(leaving)
                    .collect()
            }
        };
        writes.extend(self.telling(after, change, at, host)?);
        match change {
            Change::Ended(_) => writes.push(self.taking_sign_down(before)?),
            Change::Configured => writes.push(self.putting_sign_up(after)?),
            _ if !before.has_sign => writes.push(self.putting_sign_up(after)?),
            _ => {}
        }
        Ok(writes)
    }

    /// The writes of a change to the archive.
    fn telling(
        &self,
        room: &Room,
        change: &Change,
        at: Timestamp,
        host: &str,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut entries: Vec<RoomEntry> = Vec::new();
        for (user, affiliation) in change.affiliations() {
            let event = RoomEvent::Affiliation { from: room.id.at(host), user, affiliation };
            let at = entries.last().map_or(at, |last| last.timestamp.next());
            entries.push(RoomEntry::new(event, at));
        }
        let Some(last) = entries.last() else { return Ok(Vec::new()) };
        let head = self.move_head(&archive_of(&room.archive), at, last.timestamp)?;
        let puts = entries.iter().map(|entry| self.room_entry(&room.archive, entry));
        std::iter::once(Ok(head)).chain(puts).collect()
    }

    fn replacing_room(&self, before: &Room, after: &Room) -> Result<TransactWriteItem, StoreError> {
        let item = Item { key: room_key(&after.id), kind: "Room", entity: after }.attributes()?;
        let put = Put::builder()
            .table_name(&*self.table)
            .set_item(Some(item))
            .condition_expression("#archive = :archive AND revision = :seen")
            .expression_attribute_names("#archive", "archive")
            .expression_attribute_values(":archive", s(before.archive.as_str()))
            .expression_attribute_values(":seen", n(before.revision));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    fn ending_room(&self, room: &Room) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(room_key(&room.id).attributes()))
            .condition_expression("#archive = :archive AND revision = :seen")
            .expression_attribute_names("#archive", "archive")
            .expression_attribute_values(":archive", s(room.archive.as_str()))
            .expression_attribute_values(":seen", n(room.revision));
        Ok(TransactWriteItem::builder().delete(delete.build()?).build())
    }
}
