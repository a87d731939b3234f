//! Event sessions: an event's audio in one language, or its floor (`docs/apis/events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::SessionMode;
use crate::id::ProviderSessionId;

/// A session of an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSession {
    /// Counts from 1.
    #[schema(example = 9)]
    pub id: u64,
    /// The event it belongs to.
    #[schema(example = 7)]
    pub event: u64,
    /// The language, or `Floor`.
    #[schema(max_length = 255, example = "German")]
    pub language: String,
    /// The language's code.
    #[schema(max_length = 4000, example = "de")]
    pub language_code: Option<String>,
    /// Whether it is the event's floor. Only one session of an event may be.
    #[schema(example = false)]
    pub is_floor: bool,
    /// The media provider's id of the session.
    pub session_id: ProviderSessionId,
    /// Whether its streams pass through a media server.
    pub mode: SessionMode,
    /// Whether the provider archives it. A relayed session cannot be archived.
    #[schema(example = true)]
    pub archive: bool,
}

crate::opaque!(EventSession);
