//! Rooms: who is in one, and who may change what (`docs/apis/mongooseim.md`, MUC Light).

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

/// Longest name and longest subject of a room, in bytes.
pub const TEXT_MAX: usize = 1024;
/// How many participants a room may have.
pub const PARTICIPANTS_MAX: usize = 1000;
/// How long the JIDs of all of them may be together, in bytes: a room is one item of the table, of 400 KB at most.
const JIDS_MAX: usize = 300_000;

/// The host of the rooms of this domain.
#[must_use]
pub fn host(domain: &str) -> String {
    format!("muclight.{domain}")
}

/// The id of the room that this text names, by its id or its JID; `None` where it can name none of this domain.
#[must_use]
pub fn named(text: &str, domain: &str) -> Option<RoomId> {
    let id = match text.split_once('@') {
        Some((id, at)) => (at.to_lowercase() == host(domain)).then_some(id)?,
        None => text,
    };
    // What is no local part would make a JID that is none.
    Jid::of(id, domain).map(|_| RoomId::new(id.to_owned()))
}

/// A room. Its participants lie in the order of their JIDs, and one of them is its owner.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What it is called and what it is about.
    #[serde(flatten)]
    pub config: RoomConfig,
    /// Who is in it.
    participants: Vec<Participant>,
    /// Where its entries are kept; another one for each room that has had this id.
    pub archive: ArchiveId,
    /// Which change of the room this is.
    pub revision: u64,
    /// Whether its name and subject lie apart from its participants too, where lists of rooms read them: since its first
    /// change, of a room of earlier versions.
    #[serde(default)]
    pub has_sign: bool,
}

/// What a room's owner sets.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomConfig {
    /// What the room is called.
    #[schema(max_length = 1024, example = "Important room")]
    pub name: String,
    /// What it is about.
    #[schema(max_length = 1024, example = "Only important things")]
    pub subject: String,
}

/// Somebody with the JID that others know them by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their JID.
    pub jid: Jid,
    /// The number of the user who has this JID: another one may have it later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    #[serde(flatten)]
    pub person: Person,
    /// As what.
    pub role: RoomRole,
}

/// What somebody is in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RoomRole {
    /// The one who may change it.
    Owner,
    /// One of the others.
    Member,
}

/// Somebody's membership of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Membership {
    /// The room.
    pub room: RoomId,
    /// Where its entries are kept.
    pub archive: ArchiveId,
    /// Since when; their invitation is an entry of this time. Of who made the room, before its first entry.
    pub since: Timestamp,
    /// When it ended, which is the time of the entry that says so; what is left then is there for streams only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<Timestamp>,
    /// The number of the user whom it is about, where there was one with this JID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u64>,
}

/// Why a room is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The caller may not do this.
    NotAllowed,
    /// The room has as many participants as it may.
    Full,
    /// The room has ended.
    Gone,
    /// Who would be taken in has no such account any more.
    NoAccount,
}

impl Person {
    /// Whether this is the person, or one who has the JID that was meant.
    fn is(&self, other: &Self) -> bool {
        self.jid == other.jid && is_user(self.user, other.user)
    }
}

impl Membership {
    /// Whether it is this user's: whoever has the JID of a former one is not who was invited.
    #[must_use]
    pub fn is_of(&self, user: u64) -> bool {
        is_user(self.user, Some(user))
    }
}

/// Whether who was meant is this user; where there was none, whoever has the JID.
fn is_user(meant: Option<u64>, user: Option<u64>) -> bool {
    meant.is_none() || meant == user
}

impl Room {
    /// A new room, whose owner is who makes it.
    #[must_use]
    pub fn create(id: RoomId, config: RoomConfig, creator: Person) -> Self {
        let owner = Participant { person: creator, role: RoomRole::Owner };
        Self { id, config, participants: vec![owner], archive: ArchiveId::random(), revision: 0, has_sign: true }
    }

    /// Who is in it, by local part and domain.
    #[must_use]
    pub fn participants(&self) -> &[Participant] {
        &self.participants
    }

    /// What somebody is in it; `None` for strangers.
    #[must_use]
    pub fn role_of(&self, person: &Person) -> Option<RoomRole> {
        let found = self.participants.iter().find(|participant| participant.person.is(person));
        found.map(|participant| participant.role)
    }

    /// Whether it is somebody's to change.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`]
    pub fn owned_by(&self, caller: &Person) -> Result<(), Refusal> {
        if self.role_of(caller) == Some(RoomRole::Owner) { Ok(()) } else { Err(Refusal::NotAllowed) }
    }

    /// Sets the config; the owner may.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`]
    pub fn configure(&mut self, caller: &Person, config: RoomConfig) -> Result<Change, Refusal> {
        self.owned_by(caller)?;
        if self.config == config {
            return Ok(Change::Nothing);
        }
        self.config = config;
        Ok(Change::Configured)
    }

    /// Takes somebody in as a member; the owner may. Where a former user had the JID, the present one joins in their
    /// place.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] or [`Refusal::Full`].
    pub fn invite(&mut self, caller: &Person, invitee: Person) -> Result<Change, Refusal> {
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
                    return Err(Refusal::Full);
                }
                self.participants.insert(at, Participant { person: invitee.clone(), role: RoomRole::Member });
            }
        }
        Ok(Change::Joined(invitee))
    }

    /// Removes somebody: the owner anybody, a member themselves. Where the owner goes, the first of the others becomes
    /// owner; where nobody is left, the room has ended.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`]
    pub fn remove(&mut self, caller: &Person, jid: &Jid) -> Result<Change, Refusal> {
        match self.role_of(caller) {
            Some(RoomRole::Owner) => {}
            Some(RoomRole::Member) if caller.jid == *jid => {}
            Some(RoomRole::Member) | None => return Err(Refusal::NotAllowed),
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

    /// Where somebody is among the participants, or would be.
    fn place_of(&self, jid: &Jid) -> Result<usize, usize> {
        self.participants.binary_search_by(|participant| participant.person.jid.cmp(jid))
    }
}

// What people write is in no log.
macro_rules! shown_by_type {
    ($($type:ident),*) => {$(
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}

shown_by_type!(Room, RoomConfig);
