//! `POST /api/v2/networktestsessions`: a session for testing one's network (`docs/apis/events-api.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{config::Setting, id::ProviderSessionId};
use greenroom_http::{
    App,
    auth::ApiClient,
    dialect::events::{Error, Refusals},
};
use greenroom_media::provider::{Grant, NewSession, T1_TTL, T1Role, T1Token};
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
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(create_network_test_session, create_network_test_session_by_its_other_name);

/// A new session of the media provider, and a publisher's token for it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NetworkTestSession {
    /// The media provider's id of the session.
    session_id: ProviderSessionId,
    /// A token for it.
    session_token: T1Token,
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
    let session_id = app.services.media().provider.create_session(&NewSession::default()).await?;
    let now = app.clock.now();
    let (role, expires_at) = (T1Role::Publisher, now + T1_TTL);
    let grant = Grant { session: &session_id, role, expires_at, connection_data: "" };
    let session_token = app.services.media().signer.token(&grant, now)?;
    Ok((StatusCode::CREATED, Json(NetworkTestSession { session_id, session_token })))
}
