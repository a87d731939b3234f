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

    /// The word that a media provider gave; [`Self::DISCONNECTED`] where it is none.
    #[must_use]
    pub fn of_provider(word: &str) -> Self {
        let is_word = (1..=64).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_word { Self(Cow::Owned(word.to_owned())) } else { Self::DISCONNECTED }
    }
}

/// The end of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// When it was.
    pub at: Timestamp,
    /// Why it was.
    pub reason: EndReason,
}
