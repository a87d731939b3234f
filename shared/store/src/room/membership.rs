//! Memberships: the rooms that a participant is in. The transactions that change rooms change them too.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::{RoomId, hex},
    model::{
        Jid, Room,
        room::{Membership, Person},
    },
};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::hash;
use crate::{Attributes, Item, Key, Store, StoreError, Unique, n, s, write::Write};

/// The sort key of the revision of a participant's memberships. It sorts before those of all rooms.
const REVISION: &str = "#";
/// A sort key between the revision and the memberships.
const FIRST: &str = "0";

/// How long a participant who left a room can still be told what happened there before they left.
pub(crate) const TOLD_FOR: Duration = Duration::from_hours(24);

fn partition(jid: &Jid) -> String {
    format!("ROOMS#{}", hex(&Sha256::digest(jid.as_str())))
}

fn membership_key(jid: &Jid, room: &RoomId) -> Key {
    Key { pk: partition(jid), sk: hash(room) }
}

/// The key of the item with the revision of a participant's memberships, which changes with any of them.
pub(crate) fn memberships_revision_key(jid: &Jid) -> Key {
    Key { pk: partition(jid), sk: REVISION.to_owned() }
}

#[derive(Deserialize)]
struct MembershipsRevision {
    revision: u64,
}

/// The revision of a participant's memberships in its item.
pub(crate) fn revision_of(item: Attributes) -> Result<u64, StoreError> {
    let MembershipsRevision { revision } = serde_dynamo::from_item(item)?;
    Ok(revision)
}

impl Store {
    /// A user's membership of a room, if they are in it.
    pub async fn membership(&self, room: &RoomId, jid: &Jid, user: u64) -> Result<Option<Membership>, StoreError> {
        let found: Option<Membership> = self.item(membership_key(jid, room)).await?;
        Ok(found.filter(|membership| membership.is_of(user) && membership.left.is_none()))
    }

    /// A user's memberships of all rooms that they are in.
    ///
    /// One request, and one for every further MB.
    pub async fn memberships(&self, jid: &Jid, user: u64) -> Result<Vec<Membership>, StoreError> {
        let mut memberships = self.memberships_until_now(jid, user).await?;
        memberships.retain(|membership| membership.left.is_none());
        Ok(memberships)
    }

    /// A user's memberships of all rooms that they are in or left within the last day.
    ///
    /// One request, and one for every further MB.
    pub(crate) async fn memberships_until_now(&self, jid: &Jid, user: u64) -> Result<Vec<Membership>, StoreError> {
        let items = self.query(partition(jid)).from(FIRST).all().await?;
        let memberships: Vec<Membership> = serde_dynamo::from_items(items)?;
        Ok(memberships.into_iter().filter(|membership| membership.is_of(user)).collect())
    }

    /// A number that changes whenever one of a participant's memberships changes. 0 if they never had any.
    pub async fn memberships_revision(&self, jid: &Jid) -> Result<u64, StoreError> {
        Ok(self.attributes(memberships_revision_key(jid)).await?.map(revision_of).transpose()?.unwrap_or(0))
    }
}

pub(super) fn joining_room(room: &Room, person: &Person, since: Timestamp) -> Result<[Write; 2], StoreError> {
    let (id, archive) = (room.id.clone(), room.archive.clone());
    let membership = Membership { room: id, archive, since, left: None, user: person.user };
    let key = membership_key(&person.jid, &room.id);
    let put = Item { key, kind: "Membership", entity: &membership }.put()?;
    Ok([put, raising_revision(&person.jid)])
}

/// The writes that end a membership at this time. The item stays, so that streams still send the events of the room
/// before that time.
pub(super) fn leaving_room(room: &Room, jid: &Jid, at: Timestamp) -> [Write; 2] {
    let leaving = Write::update(membership_key(jid, &room.id), "SET #left = :left, expiresAt = :end")
        .when_there()
        .name("#left", "left")
        .value(":left", n(at.millis()))
        .value(":end", n((at + TOLD_FOR).seconds()));
    [leaving, raising_revision(jid)]
}

fn raising_revision(jid: &Jid) -> Write {
    Write::update(memberships_revision_key(jid), "SET #type = :type ADD revision :one")
        .name("#type", "Type")
        .value(":type", s("MembershipsHead"))
        .value(":one", n(1))
}

/// A condition that a person still has the account that they were known by. `None` for a person without an account.
pub(super) fn having_account(person: &Person) -> Option<Write> {
    let user = person.user?;
    Some(Write::check(Unique::Username.key(person.jid.local())).when("id = :user").value(":user", n(user)))
}

/// A condition that a person is still in the room as they were when their membership was read.
pub(super) fn being_in_room(membership: &Membership, jid: &Jid) -> Write {
    let same = "#archive = :archive AND since = :since AND attribute_not_exists(#left)";
    Write::check(membership_key(jid, &membership.room))
        .when(same)
        .name("#archive", "archive")
        .name("#left", "left")
        .value(":archive", s(membership.archive.as_str()))
        .value(":since", n(membership.since.millis()))
}
