//! Entries of a room's archive.

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
    /// When it was made, in milliseconds since the Unix epoch. No other entry of the archive has the same time.
    pub timestamp: Timestamp,
    /// The event.
    #[serde(flatten)]
    pub event: RoomEvent,
}

/// An event in a room.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum RoomEvent {
    /// A participant sent a message.
    Message {
        /// The sender.
        from: Jid,
        /// Any text.
        #[schema(max_length = 65_536, example = "Hello everybody!")]
        body: String,
    },
    /// A participant's affiliation changed.
    Affiliation {
        /// The room.
        from: RoomJid,
        /// The participant.
        user: Jid,
        /// The new affiliation.
        affiliation: Affiliation,
    },
}

/// A person's affiliation with a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Affiliation {
    /// The owner.
    Owner,
    /// A member.
    Member,
    /// No affiliation: the person is a stranger.
    None,
}

impl RoomEntry {
    /// A new entry for an event at this time.
    #[must_use]
    pub fn new(event: RoomEvent, timestamp: Timestamp) -> Self {
        Self { id: MessageId::random(), timestamp, event }
    }
}

crate::opaque!(RoomEvent);
