//! The settings of OpenVidu's server, as far as they mean something here.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderName, Uri, header, request::Parts},
};
use greenroom_http::{
    App,
    auth::{Anyone, Backend},
    base_url,
    dialect::openvidu::Guarded,
};
use serde::Serialize;
use utoipa::ToSchema;

/// The version of OpenVidu as which Greenroom presents itself.
const VERSION: &str = "2.32.2";

/// The settings of the server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = OpenViduSettings)]
#[expect(clippy::struct_excessive_bools, reason = "these are the switches of OpenVidu")]
pub(crate) struct Settings {
    /// The version of OpenVidu whose API this is.
    #[schema(example = "2.32.2")]
    version: &'static str,
    /// The host of the public address.
    #[schema(example = "greenroom.example")]
    domain_or_public_ip: String,
    /// The port of the public address.
    #[schema(example = 443)]
    https_port: u16,
    /// The public address, without a slash at its end.
    #[schema(example = "https://greenroom.example")]
    openvidu_publicurl: String,
    /// Whether call detail records are kept. They are not.
    #[schema(example = false)]
    openvidu_cdr: bool,
    /// The most that a client receives of a video, in kbit/s.
    #[schema(example = 1000)]
    openvidu_streams_video_max_recv_bandwidth: u32,
    /// The least that a client receives of a video, in kbit/s.
    #[schema(example = 300)]
    openvidu_streams_video_min_recv_bandwidth: u32,
    /// The most that a client sends of a video, in kbit/s.
    #[schema(example = 1000)]
    openvidu_streams_video_max_send_bandwidth: u32,
    /// The least that a client sends of a video, in kbit/s.
    #[schema(example = 300)]
    openvidu_streams_video_min_send_bandwidth: u32,
    /// The video codec of sessions that ask for none.
    #[schema(example = "MEDIA_SERVER_PREFERRED")]
    openvidu_streams_forced_video_codec: &'static str,
    /// Whether streams are transcoded in sessions that do not say it.
    #[schema(example = false)]
    openvidu_streams_allow_transcoding: bool,
    /// Whether publishers send several qualities.
    #[schema(example = false)]
    openvidu_webrtc_simulcast: bool,
    /// The number of seconds between two collections of unused sessions.
    #[schema(example = 900)]
    openvidu_sessions_garbage_interval: u32,
    /// The number of seconds after which an unused session is collected.
    #[schema(example = 3600)]
    openvidu_sessions_garbage_threshold: u64,
    /// Whether sessions can be recorded. They cannot.
    #[schema(example = false)]
    openvidu_recording: bool,
    /// Whether webhooks are sent. They are not.
    #[schema(example = false)]
    openvidu_webhook: bool,
}

/// The public address: the configured one, or else the one that the request was sent to. It does not end in a slash.
pub(crate) struct PublicUrl(String);

impl FromRequestParts<App> for PublicUrl {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(base_url(parts, app).trim_end_matches('/').to_owned()))
    }
}

impl PublicUrl {
    /// The host, and the port, which is that of the scheme if the address has none.
    fn host_and_port(&self) -> (String, u16) {
        let uri: Uri = self.0.parse().unwrap_or_default();
        let default = if uri.scheme_str() == Some("http") { 80 } else { 443 };
        (uri.host().unwrap_or_default().to_owned(), uri.port_u16().unwrap_or(default))
    }
}

/// Read the settings of the server.
#[utoipa::path(
    get,
    path = "/openvidu/api/config",
    operation_id = "getOpenViduSettings",
    tag = "OpenVidu 2.32",
    responses((status = 200, description = "The settings", body = Settings), Guarded),
)]
pub(crate) async fn get_settings(_: Backend, url: PublicUrl, State(app): State<App>) -> Json<Settings> {
    let (domain_or_public_ip, https_port) = url.host_and_port();
    Json(Settings {
        version: VERSION,
        domain_or_public_ip,
        https_port,
        openvidu_publicurl: url.0,
        openvidu_cdr: false,
        openvidu_streams_video_max_recv_bandwidth: 1000,
        openvidu_streams_video_min_recv_bandwidth: 300,
        openvidu_streams_video_max_send_bandwidth: 1000,
        openvidu_streams_video_min_send_bandwidth: 300,
        openvidu_streams_forced_video_codec: "MEDIA_SERVER_PREFERRED",
        openvidu_streams_allow_transcoding: false,
        openvidu_webrtc_simulcast: false,
        openvidu_sessions_garbage_interval: 900,
        openvidu_sessions_garbage_threshold: app.config.media_session_grace.as_secs(),
        openvidu_recording: false,
        openvidu_webhook: false,
    })
}

/// Read the version of OpenVidu whose API this is.
#[utoipa::path(
    get,
    path = "/openvidu/api/config/openvidu-version",
    operation_id = "getOpenViduVersion",
    tag = "OpenVidu 2.32",
    responses(
        (status = 200, description = "The version", body = String, content_type = "text/plain", example = json!("2.32.2")),
        Guarded,
    ),
)]
pub(crate) async fn get_version(_: Backend) -> &'static str {
    VERSION
}

/// Read the public address of the server.
#[utoipa::path(
    get,
    path = "/openvidu/api/config/openvidu-publicurl",
    operation_id = "getOpenViduPublicUrl",
    tag = "OpenVidu 2.32",
    responses((
        status = 200,
        description = "The address, with a slash at its end",
        body = String,
        content_type = "text/plain",
        example = json!("https://greenroom.example/"),
    )),
)]
pub(crate) async fn get_public_url(_: Anyone, url: PublicUrl) -> String {
    format!("{}/", url.0)
}

/// Ask whether the server is there.
#[utoipa::path(
    head,
    path = "/openvidu/api/config/openvidu-publicurl",
    operation_id = "probeOpenViduServer",
    tag = "OpenVidu 2.32",
    responses((status = 200, description = "It is")),
)]
pub(crate) async fn probe_server(_: Anyone) -> [(HeaderName, &'static str); 1] {
    [(header::CONTENT_TYPE, "text/plain; charset=utf-8")]
}

/// Read whether sessions can be recorded.
///
/// They cannot.
#[utoipa::path(
    get,
    path = "/openvidu/api/config/openvidu-recording",
    operation_id = "getOpenViduRecordingSetting",
    tag = "OpenVidu 2.32",
    responses((status = 200, description = "Always false", body = bool, content_type = "application/json", example = json!(false)), Guarded),
)]
pub(crate) async fn get_recording_setting(_: Backend) -> Json<bool> {
    Json(false)
}

/// Read whether call detail records are kept.
///
/// They are not.
#[utoipa::path(
    get,
    path = "/openvidu/api/config/openvidu-cdr",
    operation_id = "getOpenViduCdrSetting",
    tag = "OpenVidu 2.32",
    responses((status = 200, description = "Always false", body = bool, content_type = "application/json", example = json!(false)), Guarded),
)]
pub(crate) async fn get_cdr_setting(_: Backend) -> Json<bool> {
    Json(false)
}
