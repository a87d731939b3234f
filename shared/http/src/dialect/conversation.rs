//! MongooseIM: most errors have no body. A JSON string says what is wrong with a request (`docs/apis/mongooseim.md`).

use std::borrow::Cow;

use axum::{
    Json,
    http::StatusCode,
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_core::model::{contact::NotInRoster, message::BODY_MAX, room::RoomRefusal};

use crate::error::{self, Unauthenticated};

mod document;

pub use self::document::{BodyRefusals, Forbidden, Invalid, NotFound, Refusals};

/// The `WWW-Authenticate` header of a 401.
const CHALLENGE: &str = "Basic realm=\"mongooseim\"";

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// The caller does not accept the type of the answer.
    NotAcceptable,
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The request is not valid.
    Invalid(Problem),
}

/// A problem of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// This is missing.
    Missing(&'static str),
    /// This is not a string.
    NotText(&'static str),
    /// This is not a JID.
    NotAJid(&'static str),
    /// This is not one of the possible values.
    UnknownValue(&'static str),
    /// This is too long.
    TooLong(&'static str),
    /// A query parameter is not a whole number from 0 to `max`.
    NotANumber {
        /// The parameter.
        name: &'static str,
        /// The largest value that it may have.
        max: u64,
    },
    /// This JID is the caller's own.
    OwnJid,
    /// This is not a list of JIDs.
    NotAList(&'static str),
    /// The room's id is not valid, or the room is at another host.
    NotARoomHere,
    /// The room has as many participants as it may.
    RoomFull,
    /// The body of a message is longer than it may be.
    BodyTooLong,
}

impl Problem {
    fn text(self) -> Cow<'static, str> {
        match self {
            Self::Missing(what) => format!("Missing {what}").into(),
            Self::NotText(what) => format!("Invalid {what}: it must be a string").into(),
            Self::NotAJid(what) => format!("Invalid {what}: it must be a JID").into(),
            Self::UnknownValue(what) => format!("Invalid {what}").into(),
            Self::TooLong(what) => format!("Invalid {what}: it is too long").into(),
            Self::NotANumber { name, max } => format!("Invalid {name}: it must be a number from 0 to {max}").into(),
            Self::OwnJid => "Invalid JID: it is your own".into(),
            Self::NotAList(what) => format!("Invalid {what}: it must be an array of JIDs").into(),
            Self::NotARoomHere => "Invalid room ID".into(),
            Self::RoomFull => "The room is full".into(),
            Self::BodyTooLong => format!("Invalid message body: it must have at most {BODY_MAX} bytes").into(),
        }
    }
}

impl<E: Into<error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

impl From<NotInRoster> for Error {
    fn from(_: NotInRoster) -> Self {
        Self::NotFound
    }
}

impl From<RoomRefusal> for Error {
    fn from(refusal: RoomRefusal) -> Self {
        match refusal {
            RoomRefusal::NotAllowed => Self::Forbidden,
            RoomRefusal::Full => Self::Invalid(Problem::RoomFull),
            RoomRefusal::Gone => Self::NotFound,
            RoomRefusal::NoAccount => Unauthenticated::Wrong.into(),
        }
    }
}

/// Whether a path belongs to this API.
#[must_use]
pub fn owns(path: &str) -> bool {
    ["/api/messages", "/api/rooms", "/api/contacts", "/api/sse"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Common(error) => error.answer().0,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// `None` where there is no body.
    fn message(&self) -> Option<Cow<'_, str>> {
        use error::Error::{MethodNotAllowed, RouteNotFound, Unauthenticated, UnsupportedMediaType};
        match self {
            Self::Common(Unauthenticated(_) | UnsupportedMediaType | RouteNotFound | MethodNotAllowed { .. })
            | Self::NotAcceptable
            | Self::Forbidden
            | Self::NotFound => None,
            Self::Common(error) => Some(error.answer().1),
            Self::Invalid(problem) => Some(problem.text()),
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let extra = match &self {
            Self::Common(error) => {
                error.log();
                error.header(CHALLENGE)
            }
            Self::NotAcceptable | Self::Forbidden | Self::NotFound | Self::Invalid(_) => None,
        };
        let extra = AppendHeaders(extra);
        match self.message() {
            Some(message) => (self.status(), extra, Json(message)).into_response(),
            None => (self.status(), extra).into_response(),
        }
    }
}
