//! Signs of rooms: a room's name and subject, apart from its participants. A list of rooms reads the signs and no
//! participants.

use std::collections::HashSet;

use greenroom_core::{
    id::{ArchiveId, RoomId},
    model::{
        Room,
        room::{Membership, RoomConfig},
    },
};
use serde::{Deserialize, Serialize};

use super::{hash, room_key};
use crate::{Item, Key, Store, StoreError, write::Write};

/// The name and subject of a room.
#[derive(Clone, Serialize, Deserialize)]
pub struct RoomSign {
    /// The room.
    pub id: RoomId,
    /// The room's name and subject.
    #[serde(flatten)]
    pub config: RoomConfig,
    archive: ArchiveId,
}

impl From<Room> for RoomSign {
    fn from(Room { id, config, archive, .. }: Room) -> Self {
        Self { id, config, archive }
    }
}

fn sign_key(id: &RoomId) -> Key {
    Key { pk: format!("ROOM#{}", hash(id)), sk: "SIGN".to_owned() }
}

impl Store {
    /// The signs of the rooms of these memberships, by id.
    ///
    /// One request for every 100 rooms. Rooms that have not changed since an earlier version made them take as many
    /// again.
    pub async fn room_signs(&self, memberships: &[Membership]) -> Result<Vec<RoomSign>, StoreError> {
        let keys = memberships.iter().map(|membership| sign_key(&membership.room).attributes());
        let mut signs: Vec<RoomSign> = serde_dynamo::from_items(self.batch(keys.collect()).await?)?;
        let found: HashSet<_> = signs.iter().map(|sign| sign.archive.as_str().to_owned()).collect();
        let without = memberships.iter().filter(|membership| !found.contains(membership.archive.as_str()));
        let keys = without.map(|membership| room_key(&membership.room).attributes()).collect();
        let rooms: Vec<Room> = serde_dynamo::from_items(self.batch(keys).await?)?;
        signs.extend(rooms.into_iter().map(RoomSign::from));
        // Between the two reads a room may have ended, and a new one may have taken its id.
        let archives: HashSet<_> = memberships.iter().map(|membership| membership.archive.as_str()).collect();
        signs.retain(|sign| archives.contains(sign.archive.as_str()));
        signs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(signs)
    }
}

pub(super) fn putting_sign_up(room: &Room) -> Result<Write, StoreError> {
    Item { key: sign_key(&room.id), kind: "RoomSign", entity: &RoomSign::from(room.clone()) }.put()
}

pub(super) fn taking_sign_down(room: &Room) -> Write {
    Write::delete(sign_key(&room.id))
}
