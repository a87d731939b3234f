//! What a room's archive says.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    clock::Timestamp,
    id::{MessageId, RoomJid},
    model::Jid,
};

/// An entry of a room's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomEntry {
    /// Its id.
    pub id: MessageId,
    /// When it was made, in milliseconds since the Unix epoch; no other entry of the archive has the same.
    pub timestamp: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: RoomEvent,
}

/// What happens in a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RoomEvent {
    /// Somebody said something.
    Message {
        /// Who.
        from: Jid,
        /// Any text.
        #[schema(max_length = 65_536, example = "Hello everybody!")]
        body: String,
    },
    /// Somebody's affiliation changed.
    Affiliation {
        /// The room.
        from: RoomJid,
        /// Whose.
        user: Jid,
        /// What they are now.
        affiliation: Affiliation,
    },
}

/// What somebody is to a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation {
    /// Its owner.
    Owner,
    /// In it.
    Member,
    /// A stranger.
    None,
}

impl RoomEntry {
    /// An entry of something that happens at this time.
    #[must_use]
    pub fn new(event: RoomEvent, timestamp: Timestamp) -> Self {
        Self { id: MessageId::random(), timestamp, event }
    }
}

impl std::fmt::Debug for RoomEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RoomEvent")
    }
}
