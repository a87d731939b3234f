//! What OpenVidu's server says of itself, and what it refuses because it carries no media (`docs/apis/openvidu-2.32.md`).

mod media;
mod settings;

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_core::config::Setting;
use greenroom_http::{auth::Backend, dialect::openvidu::Guarded};
use greenroom_store::Store;
use serde::Serialize;
use utoipa::ToSchema;

use media::{
    __path_delete_recording, __path_get_recording, __path_list_recordings, __path_start_broadcast,
    __path_start_recording, __path_stop_broadcast, __path_stop_recording, delete_recording, get_recording,
    list_recordings, start_broadcast, start_recording, stop_broadcast, stop_recording,
};
use settings::{
    __path_get_cdr_setting, __path_get_public_url, __path_get_recording_setting, __path_get_settings,
    __path_get_version, __path_probe_server, get_cdr_setting, get_public_url, get_recording_setting, get_settings,
    get_version, probe_server,
};

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::OpenviduSecret, Setting::MediaSessionGrace, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(
    get_settings,
    get_version,
    get_public_url,
    probe_server,
    get_recording_setting,
    get_cdr_setting,
    get_health,
    get_cdr,
    start_recording,
    stop_recording,
    list_recordings,
    get_recording,
    delete_recording,
    start_broadcast,
    stop_broadcast,
);

/// Whether the server can work.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduHealth)]
struct Health {
    /// `UP`, or `DOWN` if the database table does not answer.
    #[schema(example = "UP")]
    status: &'static str,
    /// The media nodes that are lost. There are none to lose.
    #[schema(value_type = Vec<String>, example = json!([]))]
    disconnected_media_nodes: [&'static str; 0],
}

/// The answer while the database table does not answer.
struct Down;

impl IntoResponse for Down {
    fn into_response(self) -> Response {
        let later = AppendHeaders([(RETRY_AFTER, HeaderValue::from_static("1"))]);
        let health = Health { status: "DOWN", disconnected_media_nodes: [] };
        (StatusCode::SERVICE_UNAVAILABLE, later, Json(health)).into_response()
    }
}

/// Check whether the server can work.
///
/// Each check reads one item of the table.
#[utoipa::path(
    get,
    path = "/openvidu/api/health",
    operation_id = "getOpenViduHealth",
    tag = "OpenVidu 2.32",
    responses(
        (status = 200, description = "The database table answers", body = Health),
        (
            status = 503,
            description = "The database table does not answer",
            body = Health,
            headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        ),
        Guarded,
    ),
)]
async fn get_health(_: Backend, State(store): State<Store>) -> Result<Json<Health>, Down> {
    store.prime().await.map_err(|cause| {
        tracing::error!(%cause, "the store failed");
        Down
    })?;
    Ok(Json(Health { status: "UP", disconnected_media_nodes: [] }))
}

/// List the call detail records.
///
/// There are none.
#[utoipa::path(
    get,
    path = "/openvidu/cdr",
    operation_id = "getOpenViduCdr",
    tag = "OpenVidu 2.32",
    responses((status = 200, description = "No records", body = Vec<String>, example = json!([])), Guarded),
)]
async fn get_cdr(_: Backend) -> Json<[&'static str; 0]> {
    Json([])
}
