//! The dialects of the APIs. Each API's file says how it answers an event and a refused request.

pub mod conversation;
pub mod device;
pub mod events;
pub mod openvidu;
pub mod streams;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use greenroom_store::StoreError;

use crate::error::Error;

/// The API that a path belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// `docs/apis/device-sessions.md`, and all paths that belong to no other API.
    Device,
    /// `docs/apis/openvidu.md`
    OpenVidu,
    /// `docs/apis/events-api.md`
    Events,
    /// `docs/apis/mongooseim.md`
    Conversation,
    /// `docs/apis/ovenmediaengine.md`
    Streams,
}

impl Api {
    /// The API that this path belongs to.
    #[must_use]
    pub fn of(path: &str) -> Self {
        if openvidu::owns(path) {
            Self::OpenVidu
        } else if events::owns(path) {
            Self::Events
        } else if conversation::owns(path) {
            Self::Conversation
        } else if streams::owns(path) {
            Self::Streams
        } else {
            Self::Device
        }
    }

    /// The answer to an event that all APIs have in common.
    #[must_use]
    pub fn refuse(self, error: Error) -> Response {
        match self {
            Self::Device => device::Error::from(error).into_response(),
            Self::OpenVidu => openvidu::Error::from(error).into_response(),
            Self::Events => events::Error::from(error).into_response(),
            Self::Conversation => conversation::Error::from(error).into_response(),
            Self::Streams => streams::Error::from(error).into_response(),
        }
    }

    /// The answer if a handler panicked.
    #[must_use]
    pub fn panicked(self) -> Response {
        match self {
            Self::Device => device::Error::Panicked.into_response(),
            Self::OpenVidu => openvidu::Error::Panicked.into_response(),
            Self::Events => events::Error::Fault.into_response(),
            Self::Conversation => conversation::Error::Fault.into_response(),
            Self::Streams => streams::Error::Panicked.into_response(),
        }
    }
}

/// How long a caller should wait before it tries again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// The status of an event that all APIs have in common. It is the same in each of them.
fn status(error: &Error) -> StatusCode {
    match error {
        Error::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
        Error::MalformedBody(_) => StatusCode::BAD_REQUEST,
        Error::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Error::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::RouteNotFound => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::TimedOut | Error::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Error::Store(StoreError::Refused(_) | StoreError::Item(_)) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The header that belongs to the status of an event. `challenge` goes with a 401.
fn header(error: &Error, challenge: &'static str) -> Option<(HeaderName, HeaderValue)> {
    match error {
        Error::Unauthenticated(_) => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))),
        Error::MethodNotAllowed { allow } => Some((header::ALLOW, HeaderValue::try_from(allow).ok()?)),
        Error::TimedOut | Error::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
            Some((header::RETRY_AFTER, RETRY_AFTER))
        }
        Error::MalformedBody(_)
        | Error::BodyTooLarge
        | Error::UnsupportedMediaType
        | Error::RouteNotFound
        | Error::Store(StoreError::Refused(_) | StoreError::Item(_)) => None,
    }
}

/// Logs the cause of a fault. The caller is not told it.
fn log(error: &Error) {
    match error {
        Error::Store(cause) => tracing::error!(%cause, "the store failed"),
        // It is not known which it waited for: the table, a media provider or a mail server.
        Error::TimedOut => tracing::error!("a request was given up, for its answer did not begin in time"),
        Error::Unauthenticated(_)
        | Error::MalformedBody(_)
        | Error::BodyTooLarge
        | Error::UnsupportedMediaType
        | Error::RouteNotFound
        | Error::MethodNotAllowed { .. } => {}
    }
}
/// A wait in whole seconds, rounded up.
fn whole_seconds(wait: std::time::Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}
