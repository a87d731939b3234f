//! The answer to a participant who joins.

use greenroom_core::{
    id::ProviderSessionId,
    model::{Event, EventSession, SessionMode, login_token::TokenType},
};
use greenroom_media::provider::{LiveKitAccess, ProviderToken};
use serde::Serialize;
use utoipa::ToSchema;

/// The event, and its sessions with their tokens.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Joined)]
pub(crate) struct Reply {
    /// The event.
    pub(crate) event: JoinedEvent,
    /// The login token.
    pub(crate) login_token: UsedToken,
    /// The sessions that the login token opens, sorted by number.
    pub(crate) sessions: Vec<JoinedSession>,
}

/// The event, as participants see it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JoinedEvent {
    /// The name that its participants see.
    #[schema(example = "Annual meeting 2026")]
    display_name: Option<String>,
    /// Counts from 1.
    #[schema(example = 7)]
    id: u64,
    /// An IPv4 address near which the media provider should put its sessions. Other texts have no effect.
    #[schema(example = "192.0.2.1")]
    location_hint: String,
    /// A setting for clients. Greenroom stores it.
    #[schema(example = true)]
    allow_source_video: bool,
    /// URL of its logo.
    #[schema(example = "https://company.example/logo.png")]
    logo: Option<String>,
    /// The name that its organisers use. Unique.
    #[schema(example = "Annual meeting")]
    name: String,
    /// A setting for clients. Greenroom stores it.
    #[schema(example = "high")]
    quality: String,
    /// Whether mobile clients may not join.
    #[schema(example = false)]
    mobile_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(example = false)]
    mobile_audience_disallow: bool,
    /// A setting for mobile clients. Greenroom stores it.
    #[schema(example = "")]
    mobile_data: String,
    /// A setting for mobile clients, stored by Greenroom: `phone`, `email`, `both` or nothing.
    #[schema(example = "email")]
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

/// The login token, as participants see it.
#[derive(Serialize, ToSchema)]
#[schema(as = JoinedLoginToken)]
pub(crate) struct UsedToken {
    /// The rights of its bearer.
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
    /// Counts from 1.
    #[schema(example = 9)]
    id: u64,
    /// Whether it is the event's floor. Only one session of an event may be.
    #[schema(example = false)]
    is_floor: bool,
    /// The language, or `Floor`.
    #[schema(example = "German")]
    language: String,
    /// The language's code.
    #[schema(example = "de")]
    language_code: Option<String>,
    /// Whether its streams pass through a media server.
    mode: SessionMode,
    /// Whether the provider archives it. A relayed session cannot be archived.
    #[schema(example = true)]
    archive: bool,
    /// The data with which the media provider's client joins.
    tokbox: Tokbox,
    /// The data with which a client of LiveKit joins, if the session is a room of a LiveKit server.
    #[serde(skip_serializing_if = "Option::is_none")]
    livekit: Option<LiveKitAccess>,
}

/// The data with which the media provider's client joins.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = JoinedTokens)]
struct Tokbox {
    /// The provider's id of the session.
    session_id: ProviderSessionId,
    /// A token for the session, valid for 24 hours. For a room of a LiveKit server, its token.
    session_token: ProviderToken,
}

/// What a participant joins a session with.
pub(crate) enum Access {
    /// A token of `OpenTok` or Vonage.
    OpenTok(ProviderToken),
    /// The access to a room of `LiveKit`.
    LiveKit(LiveKitAccess),
}

impl JoinedSession {
    /// This session with the access to it.
    pub(crate) fn of(session: &EventSession, access: Access) -> Self {
        let EventSession { id, language, language_code, is_floor, session_id, mode, archive, event: _ } =
            session.clone();
        let (session_token, livekit) = match access {
            Access::OpenTok(token) => (token, None),
            Access::LiveKit(access) => (access.token.clone(), Some(access)),
        };
        let tokbox = Tokbox { session_id, session_token };
        Self { id, is_floor, language, language_code, mode, archive, tokbox, livekit }
    }
}
