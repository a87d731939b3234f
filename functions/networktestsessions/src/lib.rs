//! `POST /api/v2/networktestsessions`: a session for testing one's network (`docs/apis/events-api.md`).

use std::time::Duration;

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    id::{ConnectionName, ProviderSessionId},
    model::RoomName,
};
use greenroom_http::{
    App,
    auth::ApiClient,
    dialect::events::{Error, Refusals},
};
use greenroom_media::provider::{
    Grant, LiveKitAccess, LiveKitGrant, LiveKitRights, Maker, NewSession, ProviderError, ProviderToken, T1_TTL, T1Role,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::SigningKeys,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::LivekitRooms,
    Setting::CorsOrigins,
    Setting::Log,
];

/// How long a token for a room of a LiveKit server lives.
const TEST_TTL: Duration = Duration::from_hours(1);

greenroom_http::routes!(create_network_test_session, create_network_test_session_by_its_other_name);

/// A new session of the media provider, and a publisher's token for it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NetworkTestSession {
    /// The media provider's id of the session.
    session_id: ProviderSessionId,
    /// A token for it.
    session_token: ProviderToken,
    /// The data with which a client of LiveKit joins, if the session is a room of a LiveKit server.
    #[serde(skip_serializing_if = "Option::is_none")]
    livekit: Option<LiveKitAccess>,
}

/// Make a session for a network test.
#[utoipa::path(
    post,
    path = "/api/v2/networktestsessions",
    operation_id = "createNetworkTestSession",
    tag = "Session management",
    responses((status = 201, description = "The session", body = NetworkTestSession), Refusals),
)]
async fn create_network_test_session(
    State(app): State<App>,
    _: ApiClient,
) -> Result<(StatusCode, Json<NetworkTestSession>), Error> {
    make(&app).await
}

/// Make a session for a network test, under the endpoint's other name.
///
/// The documentation of the original API has both names of this endpoint.
#[utoipa::path(
    post,
    path = "/api/v2/networktestsession",
    operation_id = "createNetworkTestSessionByItsOtherName",
    tag = "Session management",
    responses((status = 201, description = "The session", body = NetworkTestSession), Refusals),
)]
async fn create_network_test_session_by_its_other_name(
    State(app): State<App>,
    _: ApiClient,
) -> Result<(StatusCode, Json<NetworkTestSession>), Error> {
    make(&app).await
}

async fn make(app: &App) -> Result<(StatusCode, Json<NetworkTestSession>), Error> {
    let media = app.services.media();
    let session_id = media.create_session(&NewSession::plain(RoomName::NetworkTest)).await?;
    let now = app.clock.now();
    let grant = Grant { session: &session_id, role: T1Role::Publisher, expires_at: now + T1_TTL, connection_data: "" };
    let (session_token, livekit) = match media.maker_of(&session_id).ok_or(ProviderError::ForeignSession)? {
        Maker::OpenTok(signer) => (signer.token(&grant, now)?.into(), None),
        Maker::Vonage(vonage) => (vonage.token(&grant, now)?, None),
        Maker::LiveKit(server) => {
            server.make_rooms(&[&session_id]).await?;
            let (name, rights, expires_at) = (ConnectionName::random(), LiveKitRights::Publish, now + TEST_TTL);
            let access = server.access(&LiveKitGrant { room: &session_id, name: &name, rights, expires_at })?;
            (access.token.clone(), Some(access))
        }
    };
    Ok((StatusCode::CREATED, Json(NetworkTestSession { session_id, session_token, livekit })))
}
