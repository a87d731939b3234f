//! Live sessions, `/v1`: `{"message":…,"response":…,"statusCode":…}` (`docs/apis/ovenmediaengine.md`).

mod document;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header::WWW_AUTHENTICATE},
    response::{AppendHeaders, IntoResponse, Response},
};
use serde::Serialize;

pub use self::document::{Refusals, StreamsError};
use super::openvidu::Sent;
use crate::error::{self, Unauthenticated as Common};

/// The `WWW-Authenticate` header of a 401.
const CHALLENGE: &str = "Basic realm=\"OvenMediaEngine\"";

/// Whether a path belongs to this API.
#[must_use]
pub fn owns(path: &str) -> bool {
    path.strip_prefix("/v1").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// The caller was not authenticated as an operator.
    Unauthenticated(Unauthenticated),
    /// No secret of ours signed a webhook.
    InvalidSignature,
    /// There is no such virtual host.
    UnknownVhost {
        /// Its name.
        vhost: Sent,
    },
    /// The virtual host has no such application.
    UnknownApp {
        /// The virtual host's name.
        vhost: Sent,
        /// The application's name.
        app: Sent,
    },
    /// The application has no such stream.
    UnknownStream {
        /// The virtual host's name.
        vhost: Sent,
        /// The application's name.
        app: Sent,
        /// The stream's name.
        stream: Sent,
    },
    /// The stream has no such live session.
    UnknownSession,
    /// The media server of a session cannot end it.
    CannotEnd,
}

/// Why an operator's credentials were refused.
#[derive(Debug)]
pub enum Unauthenticated {
    /// There are none.
    Missing,
    /// They are not a scheme, one space and credentials.
    Malformed,
    /// They have another scheme. This is the scheme.
    Unsupported(Sent),
    /// No access token matches.
    Wrong,
}

impl<E: Into<error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

/// The body of an answer, or of an error.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Body<T> {
    /// `OK`.
    message: String,
    /// The requested data.
    #[serde(skip_serializing_if = "Option::is_none")]
    response: Option<T>,
    /// The HTTP status.
    status_code: u16,
}

impl<T> Body<T> {
    /// The answer of a successful request.
    #[must_use]
    pub fn ok(response: Option<T>) -> Self {
        Self { message: "OK".to_owned(), response, status_code: 200 }
    }

    /// The answer of a request whose work is done later.
    #[must_use]
    pub fn accepted(response: T) -> Self {
        Self { message: "Accepted".to_owned(), response: Some(response), status_code: 202 }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status_code).unwrap_or_default()
    }
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            // A method that is not served is not found: the original API has no 405.
            Self::Common(error::Error::MethodNotAllowed { .. }) => StatusCode::NOT_FOUND,
            Self::Common(error) => error.answer().0,
            Self::Unauthenticated(_) | Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::UnknownVhost { .. } | Self::UnknownApp { .. } | Self::UnknownStream { .. } | Self::UnknownSession => {
                StatusCode::NOT_FOUND
            }
            Self::CannotEnd => StatusCode::NOT_IMPLEMENTED,
        }
    }

    fn message(&self) -> String {
        use error::Error::{MethodNotAllowed, RouteNotFound, Unauthenticated as Refused};
        let text = match self {
            Self::Unauthenticated(reason) => return reason.message(),
            Self::UnknownVhost { vhost } => return format!("Could not find the virtual host: [{vhost}]"),
            Self::UnknownApp { vhost, app } => return format!("Could not find the application: [{vhost}/{app}]"),
            Self::UnknownStream { vhost, app, stream } => {
                return format!("Could not find the stream: [{vhost}/#{vhost}#{app}/{stream}]");
            }
            Self::Common(Refused(Common::Missing)) => return Unauthenticated::Missing.message(),
            Self::Common(Refused(Common::Undecodable | Common::NoColon | Common::Wrong)) => "Invalid credential",
            Self::Common(RouteNotFound | MethodNotAllowed { .. }) => "Controller not found",
            Self::Common(error) => return error.answer().1.into_owned(),
            Self::InvalidSignature => "Invalid signature",
            Self::UnknownSession => "Could not find the session",
            Self::CannotEnd => "The media server cannot end a single session",
        };
        text.to_owned()
    }
}

impl Unauthenticated {
    fn message(&self) -> String {
        match self {
            Self::Missing => "Authorization header is required to call API".to_owned(),
            Self::Malformed => "Invalid authorization header".to_owned(),
            Self::Unsupported(scheme) => format!("Not supported credential type: {scheme}"),
            Self::Wrong => "Invalid credential".to_owned(),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = self.status();
        let extra = match &self {
            Self::Common(error) if !matches!(error, error::Error::MethodNotAllowed { .. }) => {
                error.log();
                error.header(CHALLENGE)
            }
            Self::Unauthenticated(_) => Some((WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))),
            // A webhook does not ask for such credentials.
            Self::Common(_)
            | Self::InvalidSignature
            | Self::UnknownVhost { .. }
            | Self::UnknownApp { .. }
            | Self::UnknownStream { .. }
            | Self::UnknownSession
            | Self::CannotEnd => None,
        };
        let (code, text) = (status.as_u16(), self.message());
        let body = match self {
            // The original API answers in this form for what its inner part does not find.
            Self::UnknownSession => Body { message: "Not Found".to_owned(), response: Some(text), status_code: code },
            _ => Body { message: format!("[HTTP] {text} ({code})"), response: None, status_code: code },
        };
        (status, AppendHeaders(extra), Json(body)).into_response()
    }
}
