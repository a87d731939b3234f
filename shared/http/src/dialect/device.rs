//! Device sessions: `{"error":{"code":…,"message":…}}` (`docs/apis/device-sessions.md`).

mod document;

use std::borrow::Cow;

use axum::{
    Json,
    http::StatusCode,
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

pub use self::document::Refusals;
use crate::error::{self, Unauthenticated};

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// The identifier is missing or not valid.
    InvalidIdentifier,
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

/// The code of an event that all APIs have in common.
fn code(error: &error::Error) -> &'static str {
    match error {
        error::Error::Unauthenticated(_) => "unauthenticated",
        error::Error::MalformedBody(_) => "invalid_json",
        error::Error::BodyTooLarge => "body_too_large",
        error::Error::UnsupportedMediaType => "unsupported_media_type",
        error::Error::RouteNotFound => "not_found",
        error::Error::MethodNotAllowed { .. } => "method_not_allowed",
        error::Error::Throttled(_) => "throttled",
        error::Error::TimedOut | error::Error::Store(StoreError::Unavailable(_) | StoreError::Contended) => {
            "unavailable"
        }
        error::Error::Store(StoreError::Refused(_) | StoreError::Item(_)) | error::Error::Fault => "internal",
    }
}

impl Error {
    fn answer(&self) -> (StatusCode, &'static str, Cow<'_, str>) {
        match self {
            Self::Common(error @ error::Error::Unauthenticated(reason)) => {
                let message = match reason {
                    Unauthenticated::Missing => "A bearer token is required",
                    Unauthenticated::Undecodable | Unauthenticated::NoColon | Unauthenticated::Wrong => {
                        "The token is invalid, expired or revoked"
                    }
                };
                (StatusCode::UNAUTHORIZED, code(error), message.into())
            }
            Self::Common(error) => {
                let (status, message) = error.answer();
                (status, code(error), message)
            }
            Self::InvalidIdentifier => (
                StatusCode::BAD_REQUEST,
                "invalid_identifier",
                "identifier must be a string of 1 to 256 characters, not blank, without control characters, and none that many devices share".into(),
            ),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let extra = match &self {
            Self::Common(error) => {
                error.log();
                error.header("Bearer")
            }
            Self::InvalidIdentifier => None,
        };
        let (status, code, message) = self.answer();
        let body = Body { error: Detail { code, message: message.into_owned() } };
        (status, AppendHeaders(extra), Json(body)).into_response()
    }
}
