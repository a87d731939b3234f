//! Event sessions: an event's audio in one language, or its floor (`docs/apis/events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SessionMode, entity::Entity};
use crate::id::ProviderSessionId;

/// A session of an event.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(body = EventSessionChange)]
pub struct EventSession {
    /// Counts from 1.
    #[schema(example = 9)]
    pub id: u64,
    /// The number of the event that it belongs to.
    #[schema(example = 7)]
    pub event: u64,
    /// The language, or `Floor`.
    #[schema(max_length = 255, pattern = r"\S", example = "German")]
    #[given(required, text)]
    pub language: String,
    /// The language's code.
    #[schema(max_length = 4000, example = "de")]
    #[given(nullable_text)]
    pub language_code: Option<String>,
    /// Whether it is the event's floor. Only one session of an event may be.
    #[schema(example = false)]
    #[given(boolean)]
    pub is_floor: bool,
    /// The media provider's id of the session.
    pub session_id: ProviderSessionId,
    /// Whether its streams pass through a media server.
    #[given(choice)]
    pub mode: SessionMode,
    /// Whether the provider archives it; true by default. A relayed session cannot be archived.
    #[schema(example = true)]
    #[given(boolean)]
    pub archive: bool,
}

impl EventSession {
    /// A new session with its defaults, without a number and without the provider's id.
    #[must_use]
    pub fn new(event: u64) -> Self {
        Self {
            id: 0,
            event,
            language: String::new(),
            language_code: None,
            is_floor: false,
            session_id: ProviderSessionId::new(String::new()),
            mode: SessionMode::default(),
            archive: true,
        }
    }
}

crate::opaque!(EventSession);
