//! What a participant of conversations is told as it happens (`mongooseim.md`).

use serde::Serialize;

use super::Message;

/// Something that happened. Its `Debug` prints the type only.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Notice {
    /// A message was received.
    Message(Message),
}

impl Notice {
    /// What kind of event it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
        }
    }
}

impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notice")
    }
}
