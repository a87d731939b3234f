//! Memberships: the rooms that a participant is in. The transactions that change rooms change them too.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, Update};
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
use crate::{Attributes, Item, Key, Store, StoreError, Unique, n, s};

/// The sort key of the head of a participant's memberships. It sorts before those of all rooms.
const HEAD: &str = "#";
/// A sort key between the head and the memberships.
const FIRST: &str = "0";

/// How long a participant who left a room can still be told what happened there before they left.
pub(crate) const TOLD_FOR: Duration = Duration::from_hours(24);

fn partition(jid: &Jid) -> String {
    format!("ROOMS#{}", hex(&Sha256::digest(jid.as_str())))
}

fn membership_key(jid: &Jid, room: &RoomId) -> Key {
    Key { pk: partition(jid), sk: hash(room) }
}

/// The key of the head of a participant's memberships. Its `revision` changes with any of them.
pub(crate) fn memberships_head(jid: &Jid) -> Key {
    Key { pk: partition(jid), sk: HEAD.to_owned() }
}

#[derive(Deserialize)]
struct Head {
    revision: u64,
}

/// The revision in the head of a participant's memberships.
pub(crate) fn revision_of(head: Attributes) -> Result<u64, StoreError> {
    let Head { revision } = serde_dynamo::from_item(head)?;
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
        let items = self.items_from(&partition(jid), FIRST).await?;
        let memberships: Vec<Membership> = serde_dynamo::from_items(items)?;
        Ok(memberships.into_iter().filter(|membership| membership.is_of(user)).collect())
    }

    /// A number that changes whenever one of a participant's memberships changes. 0 if they never had any.
    pub async fn memberships_revision(&self, jid: &Jid) -> Result<u64, StoreError> {
        Ok(self.attributes(memberships_head(jid)).await?.map(revision_of).transpose()?.unwrap_or(0))
    }

    pub(super) fn joining_room(
        &self,
        room: &Room,
        person: &Person,
        since: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let (id, archive) = (room.id.clone(), room.archive.clone());
        let membership = Membership { room: id, archive, since, left: None, user: person.user };
        let key = membership_key(&person.jid, &room.id);
        let item = Item { key, kind: "Membership", entity: &membership }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok([TransactWriteItem::builder().put(put).build(), self.moving_memberships(&person.jid)?])
    }

    /// The write that ends a membership at this time. What is left of it lets streams tell of the room up to then.
    pub(super) fn leaving_room(
        &self,
        room: &Room,
        jid: &Jid,
        at: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(membership_key(jid, &room.id).attributes()))
            .update_expression("SET #left = :left, expiresAt = :end")
            .condition_expression("attribute_exists(PK)")
            .expression_attribute_names("#left", "left")
            .expression_attribute_values(":left", n(at.millis()))
            .expression_attribute_values(":end", n((at + TOLD_FOR).seconds()));
        Ok([TransactWriteItem::builder().update(update.build()?).build(), self.moving_memberships(jid)?])
    }

    fn moving_memberships(&self, jid: &Jid) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(&*self.table)
            .set_key(Some(memberships_head(jid).attributes()))
            .update_expression("SET #type = :type ADD revision :one")
            .expression_attribute_names("#type", "Type")
            .expression_attribute_values(":type", s("MembershipsHead"))
            .expression_attribute_values(":one", n(1));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    /// A condition that a person still has the account that they were known by. `None` for a person without an account.
    pub(super) fn having_account(&self, person: &Person) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(user) = person.user else { return Ok(None) };
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(Unique::Username.key(person.jid.local()).attributes()))
            .condition_expression("id = :user")
            .expression_attribute_values(":user", n(user));
        Ok(Some(TransactWriteItem::builder().condition_check(check.build()?).build()))
    }

    /// A condition that a person is still in the room as they were when their membership was read.
    pub(super) fn being_in_room(&self, membership: &Membership, jid: &Jid) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(membership_key(jid, &membership.room).attributes()))
            .condition_expression("#archive = :archive AND since = :since AND attribute_not_exists(#left)")
            .expression_attribute_names("#archive", "archive")
            .expression_attribute_names("#left", "left")
            .expression_attribute_values(":archive", s(membership.archive.as_str()))
            .expression_attribute_values(":since", n(membership.since.millis()));
        Ok(TransactWriteItem::builder().condition_check(check.build()?).build())
    }
}
