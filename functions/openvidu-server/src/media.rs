//! Recordings and broadcasts, which need a media server. The answers are those of an OpenVidu with recording switched
//! off.

use greenroom_http::{
    auth::Backend,
    dialect::openvidu::{Body, BodyRefusals, Error, Guarded},
};
use greenroom_openvidu::Given;

/// The refusal of everything that only media could do.
const NO_MEDIA: Error = Error::NoRecordings { posted: false };

/// Start a recording.
///
/// Greenroom records nothing.
#[utoipa::path(
    post,
    path = "/openvidu/api/recordings/start",
    operation_id = "startRecording",
    tag = "OpenVidu 2.32",
    request_body(content = Object, example = json!({"session": "daily"})),
    responses(
        (status = 400, description = "The body is no JSON object", body = Body),
        (status = 501, description = "Recording is switched off"),
        BodyRefusals,
        Guarded,
    ),
)]
pub(crate) async fn start_recording(given: Given) -> Error {
    refuse(&given)
}

/// Start a broadcast.
///
/// Greenroom broadcasts nothing.
#[utoipa::path(
    post,
    path = "/openvidu/api/broadcast/start",
    operation_id = "startBroadcast",
    tag = "OpenVidu 2.32",
    request_body(content = Object, example = json!({"session": "daily", "broadcastUrl": "rtmp://media.example/live"})),
    responses(
        (status = 400, description = "The body is no JSON object", body = Body),
        (status = 501, description = "Broadcasting is switched off"),
        BodyRefusals,
        Guarded,
    ),
)]
pub(crate) async fn start_broadcast(given: Given) -> Error {
    refuse(&given)
}

/// Stop a broadcast.
///
/// Greenroom broadcasts nothing.
#[utoipa::path(
    post,
    path = "/openvidu/api/broadcast/stop",
    operation_id = "stopBroadcast",
    tag = "OpenVidu 2.32",
    request_body(content = Object, example = json!({"session": "daily"})),
    responses(
        (status = 400, description = "The body is no JSON object", body = Body),
        (status = 501, description = "Broadcasting is switched off"),
        BodyRefusals,
        Guarded,
    ),
)]
pub(crate) async fn stop_broadcast(given: Given) -> Error {
    refuse(&given)
}

/// A body that breaks the rules of all bodies is refused for that.
fn refuse(given: &Given) -> Error {
    given.required().err().unwrap_or(NO_MEDIA)
}

/// Stop a recording.
///
/// Greenroom records nothing. The body does not matter.
#[utoipa::path(
    post,
    path = "/openvidu/api/recordings/stop/{recordingId}",
    operation_id = "stopRecording",
    tag = "OpenVidu 2.32",
    params(("recordingId" = String, Path, description = "The recording", example = "daily")),
    responses((status = 501, description = "Recording is switched off"), Guarded),
)]
pub(crate) async fn stop_recording(_: Backend) -> Error {
    NO_MEDIA
}

/// List the recordings.
///
/// Greenroom records nothing.
#[utoipa::path(
    get,
    path = "/openvidu/api/recordings",
    operation_id = "listRecordings",
    tag = "OpenVidu 2.32",
    responses((status = 501, description = "Recording is switched off"), Guarded),
)]
pub(crate) async fn list_recordings(_: Backend) -> Error {
    NO_MEDIA
}

/// Read a recording.
///
/// Greenroom records nothing.
#[utoipa::path(
    get,
    path = "/openvidu/api/recordings/{recordingId}",
    operation_id = "getRecording",
    tag = "OpenVidu 2.32",
    params(("recordingId" = String, Path, description = "The recording", example = "daily")),
    responses((status = 501, description = "Recording is switched off"), Guarded),
)]
pub(crate) async fn get_recording(_: Backend) -> Error {
    NO_MEDIA
}

/// Delete a recording.
///
/// Greenroom records nothing.
#[utoipa::path(
    delete,
    path = "/openvidu/api/recordings/{recordingId}",
    operation_id = "deleteRecording",
    tag = "OpenVidu 2.32",
    params(("recordingId" = String, Path, description = "The recording", example = "daily")),
    responses((status = 501, description = "Recording is switched off"), Guarded),
)]
pub(crate) async fn delete_recording(_: Backend) -> Error {
    NO_MEDIA
}
