//! Rooms: their participants, and who may change what (`docs/apis/mongooseim.md`, MUC Light).

mod change;
mod entry;
mod renaming;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::{
    change::Change,
    entry::{Affiliation, RoomEntry, RoomEvent},
};
use super::Jid;
use crate::{
    clock::Timestamp,
    id::{ArchiveId, RoomId},
};

/// The longest name and the longest subject of a room, in bytes.
pub const TEXT_MAX: usize = 1024;
/// The largest number of participants of a room.
pub const PARTICIPANTS_MAX: usize = 1000;
/// The largest length of all JIDs of a room together, in bytes. A room is one item of the table, which takes 400 KB.
const JIDS_MAX: usize = 300_000;

/// The host of the rooms of this domain.
#[must_use]
pub fn host(domain: &str) -> String {
    format!("muclight.{domain}")
}

/// The id of the room with this id or JID. `None` if no room of this domain can have it.
#[must_use]
pub fn named(text: &str, domain: &str) -> Option<RoomId> {
    let id = match text.split_once('@') {
        Some((id, at)) => (at.to_lowercase() == host(domain)).then_some(id)?,
        None => text,
    };
    // An id that is no local part would make an invalid JID.
    Jid::of(id, domain).map(|_| RoomId::new(id.to_owned()))
}

/// A room. Its participants are ordered by their JIDs, and one of them is its owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// Its name and subject.
    #[serde(flatten)]
    pub config: RoomConfig,
    /// Its participants.
    participants: Vec<Participant>,
    /// The archive of its entries. Each room that has had this id has another archive.
    pub archive: ArchiveId,
    /// The number of its changes.
    pub revision: u64,
    /// Whether its name and subject are also in an item of their own, the sign, from which lists of rooms read them. A
    /// room from an earlier version gets its sign with its next change.
    #[serde(default)]
    pub has_sign: bool,
}

/// The properties that a room's owner sets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomConfig {
    /// The room's name.
    #[schema(max_length = 1024, example = "Important room")]
    pub name: String,
    /// The room's subject.
    #[schema(max_length = 1024, example = "Only important things")]
    pub subject: String,
}

/// A person with a JID.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their JID.
    pub jid: Jid,
    /// The number of the user who has this JID. Another user may have the JID later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
}

/// A participant of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// The person.
    #[serde(flatten)]
    pub person: Person,
    /// Their role.
    pub role: RoomRole,
}

/// The role of a participant in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    /// The owner, who may change the room.
    Owner,
    /// Any other participant.
    Member,
}

/// A participant's membership of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// The archive of the room's entries.
    pub archive: ArchiveId,
    /// When the membership began: the time of the entry of the invitation. The membership of the person who made the
    /// room begins before the first entry.
    pub since: Timestamp,
    /// When the membership ended: the time of the entry about it. Only streams of events read an ended membership.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
    /// The number of the user who had the JID; `None` if no user did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
}

/// Why a change of a room is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoomRefusal {
    /// The caller may not do this.
    NotAllowed,
    /// The room has as many participants as it may.
    Full,
    /// The room has ended.
    Gone,
    /// The invited person no longer has the account.
    NoAccount,
}

impl Person {
    /// Whether both are the same person. If no user had the JID, every user with the JID is that person.
    fn is(&self, other: &Self) -> bool {
        self.jid == other.jid && is_user(self.user, other.user)
    }
}

impl Membership {
    /// Whether it belongs to this user. A user with the JID of a former user was not invited.
    #[must_use]
    pub fn is_of(&self, user: u64) -> bool {
        is_user(self.user, Some(user))
    }
}

/// Whether a user with the JID is the one who was meant. `None` means any user with the JID.
fn is_user(meant: Option<u64>, user: Option<u64>) -> bool {
    meant.is_none() || meant == user
}

impl Room {
    /// A new room. Its owner is the person who makes it.
    #[must_use]
    pub fn create(id: RoomId, config: RoomConfig, creator: Person) -> Self {
        let owner = Participant { person: creator, role: RoomRole::Owner };
        Self { id, config, participants: vec![owner], archive: ArchiveId::random(), revision: 0, has_sign: true }
    }

    /// Its participants, ordered by local part and domain.
    #[must_use]
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// The role of a person in it; `None` for strangers.
    #[must_use]
    pub fn role_of(&self, person: &Person) -> Option<RoomRole> {
        let found = self.participants.iter().find(|participant| participant.person.is(person));
        found.map(|participant| participant.role)
    }

    /// Whether a person may change it.
    ///
    /// # Errors
    /// [`RoomRefusal::NotAllowed`]
    pub fn owned_by(&self, caller: &Person) -> Result<(), RoomRefusal> {
        if self.role_of(caller) == Some(RoomRole::Owner) { Ok(()) } else { Err(RoomRefusal::NotAllowed) }
    }

    /// Sets the config. Only the owner may.
    ///
    /// # Errors
    /// [`RoomRefusal::NotAllowed`]
    pub fn configure(&mut self, caller: &Person, config: RoomConfig) -> Result<Change, RoomRefusal> {
        self.owned_by(caller)?;
        if self.config == config {
            return Ok(Change::Nothing);
        }
        self.config = config;
        Ok(Change::Configured)
    }

    /// Adds a person as a member. Only the owner may. If a former user with the same JID is in the room, the present
    /// user replaces them.
    ///
    /// # Errors
    /// [`RoomRefusal::NotAllowed`] or [`RoomRefusal::Full`].
    pub fn invite(&mut self, caller: &Person, invitee: Person) -> Result<Change, RoomRefusal> {
        self.owned_by(caller)?;
        match self.place_of(&invitee.jid) {
            Ok(at) => {
                let participant = &mut self.participants[at];
                let owner = participant.role == RoomRole::Owner;
                if owner || invitee.user.is_none() || participant.person.is(&invitee) {
                    return Ok(Change::Nothing);
                }
                participant.person = invitee.clone();
            }
            Err(at) => {
                let jids = self.participants.iter().map(|participant| participant.person.jid.as_str().len());
                let bytes = jids.sum::<usize>() + invitee.jid.as_str().len();
                if self.participants.len() >= PARTICIPANTS_MAX || bytes > JIDS_MAX {
                    return Err(RoomRefusal::Full);
                }
                self.participants.insert(at, Participant { person: invitee.clone(), role: RoomRole::Member });
            }
        }
        Ok(Change::Joined(invitee))
    }

    /// Removes a participant. The owner may remove anybody, a member themselves. If the owner leaves, the first of the
    /// others becomes owner. If nobody is left, the room has ended.
    ///
    /// # Errors
    /// [`RoomRefusal::NotAllowed`]
    pub fn remove(&mut self, caller: &Person, jid: &Jid) -> Result<Change, RoomRefusal> {
        match self.role_of(caller) {
            Some(RoomRole::Owner) => {}
            Some(RoomRole::Member) if caller.jid == *jid => {}
            Some(RoomRole::Member) | None => return Err(RoomRefusal::NotAllowed),
        }
        let Ok(at) = self.place_of(jid) else { return Ok(Change::Nothing) };
        let left = self.participants.remove(at);
        let Some(first) = self.participants.first_mut() else { return Ok(Change::Ended(left.person.jid)) };
        let successor = (left.role == RoomRole::Owner).then(|| {
            first.role = RoomRole::Owner;
            first.person.jid.clone()
        });
        Ok(Change::Left { jid: left.person.jid, successor })
    }

    /// The index at which a JID is among the participants, or would be inserted.
    fn place_of(&self, jid: &Jid) -> Result<usize, usize> {
        self.participants.binary_search_by(|participant| participant.person.jid.cmp(jid))
    }
}

// Names and subjects are written by people, so no log prints them.
crate::opaque!(Room, RoomConfig);
