//! What a participant is told.

use serde::Serialize;
use shared::{
    id::ProviderSessionId,
    model::{Event, EventSession, SessionMode, login_token::TokenType},
    provider::T1Token,
};
use utoipa::ToSchema;

/// The event, and its sessions with their tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reply {
    pub(crate) event: JoinedEvent,
    pub(crate) login_token: UsedToken,
    pub(crate) sessions: Vec<JoinedSession>,
}

/// What participants are told of an event.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JoinedEvent {
    display_name: Option<String>,
    id: u64,
    location_hint: String,
    allow_source_video: bool,
    logo: Option<String>,
    name: String,
    quality: String,
    mobile_disallow: bool,
    mobile_audience_disallow: bool,
    mobile_data: String,
    mfa: String,
}

impl From<Event> for JoinedEvent {
    fn from(event: Event) -> Self {
        Self {
            display_name: event.display_name,
            id: event.id,
            location_hint: event.location_hint,
            allow_source_video: event.allow_source_video,
            logo: event.logo,
            name: event.name,
            quality: event.quality,
            mobile_disallow: event.mobile_disallow,
            mobile_audience_disallow: event.mobile_audience_disallow,
            mobile_data: event.mobile_data,
            mfa: event.mfa,
        }
    }
}

/// What participants are told of their login token.
#[derive(Serialize, ToSchema)]
pub(crate) struct UsedToken {
    #[serde(rename = "type")]
    kind: TokenType,
}

impl From<TokenType> for UsedToken {
    fn from(kind: TokenType) -> Self {
        Self { kind }
    }
}

/// A session that a participant may join.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JoinedSession {
    id: u64,
    is_floor: bool,
    language: String,
    language_code: Option<String>,
    mode: SessionMode,
    archive: bool,
    tokbox: Tokbox,
}

/// What the media provider's client joins with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Tokbox {
    session_id: ProviderSessionId,
    session_token: T1Token,
}

impl JoinedSession {
    /// This session with a token for it.
    pub(crate) fn of(session: &EventSession, session_token: T1Token) -> Self {
        let EventSession { id, language, language_code, is_floor, session_id, mode, archive, event: _ } =
            session.clone();
        Self { id, is_floor, language, language_code, mode, archive, tokbox: Tokbox { session_id, session_token } }
    }
}
