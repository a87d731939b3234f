//! Device sessions: `{"error":{"code":…,"message":…}}` (`docs/apis/device-sessions.md`).

mod document;

use axum::{
    Json,
    http::StatusCode,
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::document::Refusals;
use super::{header, log, status};
use crate::error::{self, Unauthenticated};

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// The identifier is missing or not valid.
    InvalidIdentifier,
    /// There is no signing key. The configuration does not let this happen.
    NoSigningKey,
    /// A handler panicked: a fault of ours.
    Panicked,
}

impl<E: Into<error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

/// An error.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceError)]
pub struct Body {
    /// The reason of the error.
    error: Detail,
}

/// The reason of an error, for programs and for people.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceErrorDetail)]
struct Detail {
    /// For programs.
    #[schema(example = "invalid_identifier")]
    code: &'static str,
    /// For people.
    #[schema(
        example = "identifier must be a string of 1 to 256 characters, not blank, without control characters, and none that many devices share"
    )]
    message: String,
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Common(error) => status(error),
            Self::InvalidIdentifier => StatusCode::BAD_REQUEST,
            Self::NoSigningKey | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> (&'static str, String) {
        use error::Error::{
            BodyTooLarge, MalformedBody, MethodNotAllowed, RouteNotFound, Store, TimedOut, Unauthenticated as Refused,
            UnsupportedMediaType,
        };
        let (code, message) = match self {
            Self::Common(MalformedBody(problem)) => return ("invalid_json", problem.clone()),
            Self::Common(Refused(Unauthenticated::Missing)) => ("unauthenticated", "A bearer token is required"),
            Self::Common(Refused(Unauthenticated::Undecodable | Unauthenticated::NoColon | Unauthenticated::Wrong)) => {
                ("unauthenticated", "The token is invalid, expired or revoked")
            }
            Self::Common(BodyTooLarge) => ("body_too_large", "The body must be smaller than 1 MiB"),
            Self::Common(UnsupportedMediaType) => ("unsupported_media_type", "The body must be application/json"),
            Self::Common(RouteNotFound) => ("not_found", "There is no such resource"),
            Self::Common(MethodNotAllowed { .. }) => ("method_not_allowed", "The method is not allowed here"),
            Self::Common(TimedOut | Store(StoreError::Unavailable(_) | StoreError::Contended)) => {
                ("unavailable", "The service is busy; try again")
            }
            Self::Common(Store(StoreError::Refused(_) | StoreError::Item(_))) | Self::NoSigningKey | Self::Panicked => {
                ("internal", "Something went wrong on our side")
            }
            Self::InvalidIdentifier => (
                "invalid_identifier",
                "identifier must be a string of 1 to 256 characters, not blank, without control characters, and none that many devices share",
            ),
        };
        (code, message.to_owned())
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (code, message) = self.detail();
        let status = self.status();
        let extra = match &self {
            Self::Common(error) => {
                log(error);
                header(error, "Bearer")
            }
            Self::InvalidIdentifier | Self::NoSigningKey | Self::Panicked => None,
        };
        (status, AppendHeaders(extra), Json(Body { error: Detail { code, message } })).into_response()
    }
}
