//! How a connection ends.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Timestamp;

/// Why a connection ended: a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "terminated")]
pub struct EndReason(Cow<'static, str>);

impl EndReason {
    /// Somebody ended it, and its token with it.
    pub const TERMINATED: Self = Self(Cow::Borrowed("terminated"));
    /// The media server closed it.
    pub const CLOSED: Self = Self(Cow::Borrowed("closed"));
    /// It was disconnected.
    pub const DISCONNECTED: Self = Self(Cow::Borrowed("disconnected"));
    /// Its session was closed, or deleted.
    pub const SESSION_CLOSED: Self = Self(Cow::Borrowed("sessionClosed"));
    /// Its right ended.
    pub const EXPIRED: Self = Self(Cow::Borrowed("expired"));
    /// Who published its stream has left, or another has taken the stream over.
    pub const PUBLISHER_LEFT: Self = Self(Cow::Borrowed("publisher_left"));

    /// The word that a media provider gave; [`Self::DISCONNECTED`] where it is none.
    #[must_use]
    pub fn of_provider(word: &str) -> Self {
        let is_word = (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_word { Self(Cow::Owned(word.to_owned())) } else { Self::DISCONNECTED }
    }

    /// Who ended a connection that a media provider says ended so: its words for a client that went by itself, and for
    /// one that was thrown out or lost.
    #[must_use]
    pub fn of_whom(&self) -> EndedBy {
        if self.0 == "clientDisconnected" { EndedBy::PARTICIPANT } else { EndedBy::PROVIDER }
    }
}

/// What kind of party ended a connection (`docs/apis/access.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ender {
    /// They left by themselves.
    Participant,
    /// A user of `/api/v2` or `/api/live` did.
    User,
    /// An operator of live sessions did.
    Operator,
    /// A back-end did.
    Backend,
    /// The media server or provider ended or lost it, or its publisher left.
    Provider,
    /// Its time was over.
    Expiry,
}

/// Who ended a connection (`docs/apis/access.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedBy {
    /// What they are.
    #[schema(example = "user")]
    pub kind: Ender,
    /// The number of the user, where it is one.
    #[schema(required, example = 4)]
    pub user: Option<u64>,
}

impl EndedBy {
    /// They left by themselves.
    pub const PARTICIPANT: Self = Self::of(Ender::Participant);
    /// An operator.
    pub const OPERATOR: Self = Self::of(Ender::Operator);
    /// A back-end.
    pub const BACKEND: Self = Self::of(Ender::Backend);
    /// The media server, the media provider or the publisher.
    pub const PROVIDER: Self = Self::of(Ender::Provider);
    /// Time.
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

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When it was.
    pub at: Timestamp,
    /// Why it was.
    pub reason: EndReason,
    /// Who ended it; nothing is known of those that ended before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<EndedBy>,
}
