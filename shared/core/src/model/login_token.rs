//! Login tokens, which participants type in to join an event (`docs/apis/events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{entity::Entity, event_session::EventSession};

/// The type of a login token, which decides the rights of its bearer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum TokenType {
    /// Listens.
    Participant,
    /// Listens to the floor and speaks in the languages.
    Interpreter,
    /// Speaks on the floor.
    Floor,
    /// Speaks on the floor from elsewhere, and listens.
    Remote,
    /// Listens, speaks and moderates everywhere.
    Moderator,
}

/// The rights of a participant in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamRole {
    /// Receive.
    Subscriber,
    /// Receive and send.
    Publisher,
    /// Receive and send, and cut off others.
    Moderator,
}

impl TokenType {
    /// The rights of its bearer in a session. `None` if the session is hidden from the bearer.
    #[must_use]
    pub fn role_in(self, session: &EventSession, sees_floor: bool) -> Option<StreamRole> {
        match (self, session.is_floor) {
            (Self::Participant | Self::Remote, false) | (Self::Interpreter, true) => Some(StreamRole::Subscriber),
            (Self::Participant, true) => sees_floor.then_some(StreamRole::Subscriber),
            (Self::Interpreter, false) | (Self::Floor | Self::Remote, true) => Some(StreamRole::Publisher),
            (Self::Floor, false) => None,
            (Self::Moderator, _) => Some(StreamRole::Moderator),
        }
    }
}

/// A login token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(body = LoginTokenChange)]
pub struct LoginToken {
    /// Counts from 1.
    #[schema(example = 4)]
    pub id: u64,
    /// The number of the event that it opens.
    #[schema(example = 7)]
    pub event: u64,
    /// The text that its bearer types in. Unique.
    #[schema(min_length = 8, max_length = 255, pattern = r"\S", example = "meeting-guest-1")]
    #[given(required, text)]
    pub token: String,
    /// The rights of its bearer.
    #[given(required, choice)]
    pub token_type: TokenType,
}

crate::opaque!(LoginToken);
