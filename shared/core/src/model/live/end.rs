//! The ends of connections: when, why and by whom.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;

/// Why a connection ended, in one word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "terminated")]
pub struct EndReason(Cow<'static, str>);

impl EndReason {
    /// A request terminated it, and with it its token.
    pub const TERMINATED: Self = Self(Cow::Borrowed("terminated"));
    /// The media server closed it.
    pub const CLOSED: Self = Self(Cow::Borrowed("closed"));
    /// It was disconnected, and may connect again.
    pub const DISCONNECTED: Self = Self(Cow::Borrowed("disconnected"));
    /// Its session was closed, or deleted.
    pub const SESSION_CLOSED: Self = Self(Cow::Borrowed("sessionClosed"));
    /// Its right ended.
    pub const EXPIRED: Self = Self(Cow::Borrowed("expired"));
    /// The publisher of its stream left, or another publisher replaced it.
    pub const PUBLISHER_LEFT: Self = Self(Cow::Borrowed("publisher_left"));

    /// The participant left.
    pub const LEFT: Self = Self(Cow::Borrowed("left"));
    /// Somebody with the rights of a moderator removed the participant from the room.
    pub const REMOVED_BY_MODERATOR: Self = Self(Cow::Borrowed("removed_by_moderator"));
    /// The participant joined again with the same token, which ended the earlier connection.
    pub const REPLACED: Self = Self(Cow::Borrowed("replaced"));
    /// The room was closed.
    pub const SESSION_ENDED: Self = Self(Cow::Borrowed("session_ended"));
    /// The media server lost the participant.
    pub const LOST: Self = Self(Cow::Borrowed("lost"));
    /// The media server could not keep up the connection.
    pub const FAILED: Self = Self(Cow::Borrowed("failed"));

    /// The reason for LiveKit's word for it (`docs/apis/livekit.md`).
    #[must_use]
    pub fn of_livekit(word: &str) -> Self {
        match word {
            "CLIENT_INITIATED" => Self::LEFT,
            "PARTICIPANT_REMOVED" => Self::REMOVED_BY_MODERATOR,
            "DUPLICATE_IDENTITY" => Self::REPLACED,
            "ROOM_DELETED" => Self::SESSION_ENDED,
            "CONNECTION_TIMEOUT" => Self::LOST,
            _ => Self::FAILED,
        }
    }

    /// The word that a media provider gave. [`Self::DISCONNECTED`] if it is not a word.
    #[must_use]
    pub fn of_provider(word: &str) -> Self {
        let is_word = (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_word { Self(Cow::Owned(word.to_owned())) } else { Self::DISCONNECTED }
    }

    /// Who ended a connection, by the media provider's word for its end. The provider has words for a client that left
    /// by itself, and for one that was thrown out or lost.
    #[must_use]
    pub fn of_whom(&self) -> EndedBy {
        let by_participant = ["clientDisconnected", "left", "replaced"].contains(&&*self.0);
        if by_participant { EndedBy::PARTICIPANT } else { EndedBy::PROVIDER }
    }
}

/// The kind of party that ended a connection (`docs/apis/access.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ender {
    /// The participant, who left.
    Participant,
    /// A user of `/api/v2` or `/api/live`.
    User,
    /// An operator of live sessions.
    Operator,
    /// A back-end.
    Backend,
    /// The media server or provider ended or lost it, or its publisher left.
    Provider,
    /// Nobody: its right expired.
    Expiry,
}

/// Who ended a connection (`docs/apis/access.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedBy {
    /// The kind of party.
    #[schema(example = "user")]
    pub kind: Ender,
    /// The number of the user, if a user ended it.
    #[schema(required, example = 4)]
    pub user: Option<u64>,
}

impl EndedBy {
    /// The participant, who left.
    pub const PARTICIPANT: Self = Self::of(Ender::Participant);
    /// An operator.
    pub const OPERATOR: Self = Self::of(Ender::Operator);
    /// A back-end.
    pub const BACKEND: Self = Self::of(Ender::Backend);
    /// The media server, the media provider or the publisher.
    pub const PROVIDER: Self = Self::of(Ender::Provider);
    /// The expiry of its right.
    pub const EXPIRY: Self = Self::of(Ender::Expiry);

    const fn of(kind: Ender) -> Self {
        Self { kind, user: None }
    }

    /// The user of this number.
    #[must_use]
    pub const fn user(id: u64) -> Self {
        Self { kind: Ender::User, user: Some(id) }
    }
}

/// The end of a connection: when, why and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When it ended.
    pub at: Timestamp,
    /// Why it ended.
    pub reason: EndReason,
    /// Who ended it. `None` for connections that ended before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EndedBy>,
}
