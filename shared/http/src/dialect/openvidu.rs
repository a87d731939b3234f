//! OpenVidu: `{"timestamp","status","error","message","path"}` (`docs/apis/openvidu.md`, `docs/apis/openvidu-2.32.md`).

mod document;
mod refused;

use std::{borrow::Cow, fmt};

use axum::{
    Json,
    extract::Request,
    http::StatusCode,
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_core::{clock::Timestamp, id::CUSTOM_ID_MAX, model::connection::ServerData};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    document::{BodyRefusals, Guarded, Refusals},
    refused::{OPTIONS_MAX, RecordingRefused, Refused, WrongType},
};
use crate::{
    App,
    error::{self, Unauthenticated},
};

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// A parameter has a wrong JSON type. The answer does not say which.
    WrongType,
    /// A parameter is refused, in the words of 2.32.
    Refused(Refused),
    /// The request has no body, and needs one.
    BodyMissing,
    /// A parameter of a new session has none of its possible values. These are the values that were sent.
    UnknownValue {
        /// `recordingMode`
        recording_mode: Sent,
        /// `defaultOutputMode`
        output_mode: Sent,
        /// `defaultRecordingLayout`
        recording_layout: Sent,
        /// `mediaMode`
        media_mode: Sent,
    },
    /// The custom session id has characters that it may not have.
    InvalidCustomSessionId,
    /// The custom session id is too long.
    CustomSessionIdTooLong,
    /// The name of a custom layout is too long.
    CustomLayoutTooLong,
    /// A live session has this custom id already.
    SessionExists,
    /// The same, for the official clients since 2.16, which expect no body.
    SessionLive,
    /// The request names no session for the token.
    SessionMissing,
    /// The token's session is not live. This is the session that was named.
    SessionNotFound(Sent),
    /// The token's role does not exist. This is the role that was sent.
    UnknownRole(Sent),
    /// A token's metadata is too long.
    DataTooLong,
    /// The thing that the request names does not exist. The official clients expect no body.
    NotFound,
    /// The request names a part of a session that does not exist. The official clients expect no body.
    UnknownSession,
    /// A signal has nobody to go to: no participant is seen to be connected.
    NobodyConnected,
    /// Nothing is recorded or broadcast here.
    NoRecordings {
        /// Whether it was a POST below `/api`. Its clients expect a body.
        posted: bool,
    },
    /// IP cameras need a media server.
    NoIpCameras,
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<E: Into<error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

impl From<greenroom_media::provider::ProviderError> for Error {
    fn from(error: greenroom_media::provider::ProviderError) -> Self {
        // A token for a room that was not made would open nothing.
        tracing::error!(%error, "the media server failed");
        error::Error::TimedOut.into()
    }
}

impl From<greenroom_media::provider::TokenError> for Error {
    fn from(error: greenroom_media::provider::TokenError) -> Self {
        tracing::error!(%error, "a token cannot be made");
        error::Error::Fault.into()
    }
}

/// A value that a caller sent, for the answer to quote. Its `Debug` prints its type only.
pub struct Sent(String);

impl Sent {
    /// The largest number of characters that are quoted.
    const MAX: usize = 255;

    /// This text, or its beginning.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().take(Self::MAX).collect())
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

greenroom_core::opaque!(Sent);

/// An error.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenViduError)]
pub struct Body {
    /// When it happened, in milliseconds since the Unix epoch.
    timestamp: Timestamp,
    /// The HTTP status.
    #[schema(example = 400)]
    status: u16,
    /// The status in words.
    #[schema(example = "Bad Request")]
    error: &'static str,
    /// The reason of the error.
    #[schema(example = "\"session\" parameter is mandatory")]
    message: String,
    /// The path that the request was sent to.
    #[schema(example = "/api/tokens")]
    path: String,
}

/// The message from which [`report`] makes the body.
#[derive(Clone)]
struct Message(String);

/// The path of recordings in 2.15.
const RECORDINGS: &str = "/api/recordings";
/// The paths that belong to this API, with all that lies below them.
const ROOTS: [&str; 6] = ["/api/sessions", "/api/tokens", RECORDINGS, "/api/signal", "/config", PREFIX];
/// The beginning of the paths since 2.16.
const PREFIX: &str = "/openvidu";
/// Those of them that ask for credentials.
const GUARDED: [&str; 2] = ["/openvidu/api", "/openvidu/cdr"];

/// Whether a path belongs to this API. Some of its paths are not served.
#[must_use]
pub fn owns(path: &str) -> bool {
    ROOTS.iter().any(|root| lies_below(path, root))
}

/// Whether a path of this API asks for credentials, whether or not it is served.
#[must_use]
pub fn is_guarded(path: &str) -> bool {
    !lies_below(path, PREFIX) || GUARDED.iter().any(|root| lies_below(path, root))
}

/// Whether a path belongs to recordings in 2.15. An OpenVidu without recordings answers 501 there.
#[must_use]
pub fn is_recording(path: &str) -> bool {
    lies_below(path, RECORDINGS)
}

fn lies_below(path: &str, root: &str) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Common(error) => error.answer().0,
            Self::SessionExists | Self::SessionLive => StatusCode::CONFLICT,
            Self::SessionNotFound(_) | Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongType
            | Self::Refused(_)
            | Self::BodyMissing
            | Self::UnknownValue { .. }
            | Self::CustomSessionIdTooLong
            | Self::InvalidCustomSessionId
            | Self::CustomLayoutTooLong
            | Self::SessionMissing
            | Self::UnknownRole(_)
            | Self::DataTooLong
            | Self::UnknownSession => StatusCode::BAD_REQUEST,
            Self::NobodyConnected => StatusCode::NOT_ACCEPTABLE,
            Self::NoRecordings { .. } | Self::NoIpCameras => StatusCode::NOT_IMPLEMENTED,
        }
    }

    /// `None` where there is no body.
    fn message(&self) -> Option<Cow<'_, str>> {
        let text = match self {
            Self::NotFound
            | Self::UnknownSession
            | Self::SessionLive
            | Self::NobodyConnected
            | Self::NoRecordings { posted: false } => return None,
            Self::NoRecordings { posted: true } => "Recording is switched off",
            Self::NoIpCameras => "IP cameras need a media server, and there is none",
            Self::Refused(refused) => return Some(refused.message()),
            Self::BodyMissing => "The body is missing",
            Self::UnknownValue { recording_mode, output_mode, recording_layout, media_mode } => {
                let message = format!(
                    "RecordingMode {recording_mode} | Default OutputMode {output_mode} | Default RecordingLayout \
                     {recording_layout} | MediaMode {media_mode}. Some parameter is not defined"
                );
                return Some(message.into());
            }
            Self::CustomSessionIdTooLong => {
                let message = format!("Parameter \"customSessionId\" must have at most {CUSTOM_ID_MAX} characters");
                return Some(message.into());
            }
            Self::SessionNotFound(id) => return Some(format!("Session {id} not found").into()),
            Self::UnknownRole(role) => return Some(format!("Parameter role {role} is not defined").into()),
            Self::DataTooLong => {
                let max = ServerData::MAX;
                return Some(format!("Metadata unexpected format. Max length allowed is {max} chars").into());
            }
            Self::Common(error::Error::Unauthenticated(reason)) => refusal(*reason),
            Self::Common(error) => return Some(error.answer().1),
            Self::WrongType => "Type error in some parameter",
            Self::InvalidCustomSessionId => "Parameter \"customSessionId\" is wrong. Must be an alphanumeric string",
            Self::CustomLayoutTooLong => "Parameter \"defaultCustomLayout\" is too long",
            Self::SessionExists => "A session with this customSessionId exists already",
            Self::SessionMissing => "\"session\" parameter is mandatory",
        };
        Some(text.into())
    }
}

fn refusal(reason: Unauthenticated) -> &'static str {
    match reason {
        Unauthenticated::Missing => "Full authentication is required to access this resource",
        Unauthenticated::Undecodable => "Failed to decode basic authentication token",
        Unauthenticated::NoColon => "Invalid basic authentication token",
        Unauthenticated::Wrong => "Bad credentials",
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let extra = if let Self::Common(error) = &self {
            error.log();
            error.header("Basic realm=\"Realm\"")
        } else {
            None
        };
        let mut response = (self.status(), AppendHeaders(extra)).into_response();
        if let Some(message) = self.message() {
            response.extensions_mut().insert(Message(message.into_owned()));
        }
        response
    }
}

/// Writes the body of an error, with the path of the request and the time.
pub async fn report<F: Future<Output = Response>>(
    app: &App,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let path = request.uri().path().to_owned();
    let response = next(request).await;
    let Some(Message(message)) = response.extensions().get().cloned() else { return response };
    let status = response.status();
    let error = status.canonical_reason().unwrap_or_default();
    let body = Body { timestamp: app.clock.now(), status: status.as_u16(), error, message, path };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(axum::http::header::CONTENT_LENGTH);
    (parts.status, parts.headers, Json(body)).into_response()
}
