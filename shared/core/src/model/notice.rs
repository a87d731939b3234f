//! Notices: the events that a stream sends to a participant (`docs/apis/mongooseim.md`).

use serde::Serialize;

use super::{Message, room::RoomEntry};
use crate::{clock::Timestamp, id::RoomId};

/// An event of a stream.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Notice {
    /// A message was received.
    Message(Message),
    /// Something happened in a room.
    Room {
        /// The room.
        room: RoomId,
        /// The entry in the room's archive.
        #[serde(flatten)]
        entry: RoomEntry,
    },
}

impl Notice {
    /// The kind of the event.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Room { .. } => "room.message",
        }
    }

    /// When it happened.
    #[must_use]
    pub const fn timestamp(&self) -> Timestamp {
        match self {
            Self::Message(message) => message.timestamp,
            Self::Room { entry, .. } => entry.timestamp,
        }
    }
}

crate::opaque!(Notice);
