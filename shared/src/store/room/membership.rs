//! Memberships: which rooms somebody is in. They change with their rooms, in the same transactions.

use aws_sdk_dynamodb::types::{ConditionCheck, Delete, Put, TransactWriteItem, Update};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::hash;
use crate::{
    clock::Timestamp,
    id::{RoomId, hex},
    model::{
        Jid, Room,
        room::{Membership, Person},
    },
    store::{Attributes, Item, Key, Store, StoreError, n, s},
};

/// The sort key of the head of somebody's memberships, before those of all rooms.
const HEAD: &str = "#";
/// What the memberships' sort keys begin after.
const FIRST: &str = "0";

fn partition(jid: &Jid) -> String {
    format!("ROOMS#{}", hex(&Sha256::digest(jid.as_str())))
}

fn membership_key(jid: &Jid, room: &RoomId) -> Key {
    Key { pk: partition(jid), sk: hash(room) }
}

/// The key of the head of somebody's memberships, which has another `revision` whenever one of them changed.
pub(in crate::store) fn memberships_head(jid: &Jid) -> Key {
    Key { pk: partition(jid), sk: HEAD.to_owned() }
}

#[derive(Deserialize)]
struct Head {
    revision: u64,
}

/// The revision in the head of somebody's memberships.
pub(in crate::store) fn revision_of(head: Attributes) -> Result<u64, StoreError> {
    let Head { revision } = serde_dynamo::from_item(head)?;
    Ok(revision)
}

impl Store {
    /// A user's membership of a room.
    pub async fn membership(&self, room: &RoomId, jid: &Jid, user: u64) -> Result<Option<Membership>, StoreError> {
        let found: Option<Membership> = self.item(membership_key(jid, room)).await?;
        Ok(found.filter(|membership| membership.is_of(user)))
    }

    /// A user's memberships of all rooms that they are in.
    ///
    /// One request, and one for every further MB.
    pub async fn memberships(&self, jid: &Jid, user: u64) -> Result<Vec<Membership>, StoreError> {
        let items = self.items_from(&partition(jid), FIRST).await?;
        let memberships: Vec<Membership> = serde_dynamo::from_items(items)?;
        Ok(memberships.into_iter().filter(|membership| membership.is_of(user)).collect())
    }

    /// A number that is another one whenever somebody's memberships changed; 0 where they never had any.
    pub async fn memberships_revision(&self, jid: &Jid) -> Result<u64, StoreError> {
        Ok(self.attributes(memberships_head(jid)).await?.map(revision_of).transpose()?.unwrap_or(0))
    }

    pub(super) fn joining_room(
        &self,
        room: &Room,
        person: &Person,
        since: Timestamp,
    ) -> Result<[TransactWriteItem; 2], StoreError> {
        let membership = Membership { room: room.id.clone(), archive: room.archive.clone(), since, user: person.user };
        let key = membership_key(&person.jid, &room.id);
        let item = Item { key, kind: "Membership", entity: &membership }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok([TransactWriteItem::builder().put(put).build(), self.moving_memberships(&person.jid)?])
    }

    pub(super) fn leaving_room(&self, room: &Room, jid: &Jid) -> Result<[TransactWriteItem; 2], StoreError> {
        let key = membership_key(jid, &room.id).attributes();
        let delete = Delete::builder().table_name(&*self.table).set_key(Some(key)).build()?;
        Ok([TransactWriteItem::builder().delete(delete).build(), self.moving_memberships(jid)?])
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

    /// That somebody is still in the room, as they were when their membership was read.
    pub(super) fn being_in_room(&self, membership: &Membership, jid: &Jid) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(membership_key(jid, &membership.room).attributes()))
            .condition_expression("#archive = :archive AND since = :since")
            .expression_attribute_names("#archive", "archive")
            .expression_attribute_values(":archive", s(membership.archive.as_str()))
            .expression_attribute_values(":since", n(membership.since.millis()));
        Ok(TransactWriteItem::builder().condition_check(check.build()?).build())
    }
}
