//! Errors before a handler's own work or below it, and how all APIs answer them. The dialect of an API gives the answer
//! its form, and says where it differs.

use std::{borrow::Cow, time::Duration};

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use greenroom_core::password::{self, PasswordError};
use greenroom_store::StoreError;

/// An event that all APIs have in common.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller was not authenticated.
    #[error("unauthenticated")]
    Unauthenticated(Unauthenticated),
    /// The body is not a JSON object. This says why, and quotes nothing of it.
    #[error("{0}")]
    MalformedBody(String),
    /// The body has [`crate::BODY_LIMIT`] bytes or more.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body does not say that it is JSON.
    #[error("the body must be application/json")]
    UnsupportedMediaType,
    /// No function serves this path.
    #[error("no such route")]
    RouteNotFound,
    /// The path is served with other methods only.
    #[error("the method is not allowed here")]
    MethodNotAllowed {
        /// The method.
        method: Method,
        /// The value of the `Allow` header.
        allow: String,
    },
    /// There were too many wrong values. The next may be tried after this time.
    #[error("too many wrong values")]
    Throttled(Duration),
    /// The answer did not begin in time.
    #[error("the request took too long")]
    TimedOut,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// A fault of ours, which has been logged.
    #[error("a fault of ours")]
    Fault,
}

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthenticated {
    /// There are none, or they have another scheme.
    Missing,
    /// They are not base64 of UTF-8.
    Undecodable,
    /// They lack the colon between user and password.
    NoColon,
    /// They are wrong, or no longer valid.
    Wrong,
}

impl From<Unauthenticated> for Error {
    fn from(reason: Unauthenticated) -> Self {
        Self::Unauthenticated(reason)
    }
}

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        if let PasswordError::Busy = error {
            return Self::Throttled(password::BUSY_FOR);
        }
        tracing::error!(%error, "a fault of ours");
        Self::Fault
    }
}

/// The number of seconds after which a caller should try again, where nothing says it more precisely.
pub(crate) const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

impl Error {
    /// The status, and the message in plain words without a full stop.
    pub(crate) fn answer(&self) -> (StatusCode, Cow<'_, str>) {
        let (status, message) = match self {
            Self::Unauthenticated(_) => (StatusCode::UNAUTHORIZED, "Credentials are missing or wrong"),
            Self::MalformedBody(problem) => return (StatusCode::BAD_REQUEST, problem.into()),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body must be smaller than 1 MiB"),
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json"),
            Self::RouteNotFound => (StatusCode::NOT_FOUND, "There is no such resource"),
            Self::MethodNotAllowed { .. } => (StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here"),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many wrong passwords"),
            Self::TimedOut | Self::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The service is busy; try again")
            }
            Self::Store(StoreError::Refused(_) | StoreError::Item(_)) | Self::Fault => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side")
            }
        };
        (status, message.into())
    }

    /// The header that belongs to the status. `challenge` goes with a 401.
    pub(crate) fn header(&self, challenge: &'static str) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Unauthenticated(_) => Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))),
            Self::MethodNotAllowed { allow, .. } => Some((header::ALLOW, HeaderValue::try_from(allow).ok()?)),
            Self::Throttled(wait) => Some((header::RETRY_AFTER, whole_seconds(*wait).into())),
            Self::TimedOut | Self::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
                Some((header::RETRY_AFTER, RETRY_AFTER))
            }
            Self::MalformedBody(_)
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::RouteNotFound
            | Self::Store(StoreError::Refused(_) | StoreError::Item(_))
            | Self::Fault => None,
        }
    }

    /// Logs the cause of a failure. The caller is not told it.
    pub(crate) fn log(&self) {
        match self {
            Self::Store(cause) => tracing::error!(%cause, "the store failed"),
            // It is not known which it waited for: the table, a media provider or a mail server.
            Self::TimedOut => tracing::error!("a request was given up, for its answer did not begin in time"),
            Self::Unauthenticated(_)
            | Self::MalformedBody(_)
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::RouteNotFound
            | Self::MethodNotAllowed { .. }
            | Self::Throttled(_)
            | Self::Fault => {}
        }
    }
}

/// A wait in whole seconds, rounded up.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX).max(1)
}
