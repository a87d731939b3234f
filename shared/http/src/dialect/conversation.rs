//! MongooseIM: most errors have no body. A JSON string says what is wrong with a request (`docs/apis/mongooseim.md`).

use std::{borrow::Cow, time::Duration};

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_core::{
    model::{contact::NotInRoster, message::BODY_MAX, room::RoomRefusal},
    password::{self, PasswordError},
};
use greenroom_store::StoreError;

use super::{header as common_header, log, status, whole_seconds};
use crate::{
    auth::Guarded,
    error::{self, Unauthenticated},
};

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
    /// There were too many wrong passwords. The next may be tried after this time.
    Throttled(Duration),
    /// The caller may not do this.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// The request is not valid.
    Invalid(Problem),
    /// A fault of ours.
    Fault,
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

impl From<PasswordError> for Error {
    fn from(error: PasswordError) -> Self {
        if let PasswordError::Busy = error {
            return Self::Throttled(password::BUSY_FOR);
        }
        tracing::error!(%error, "a fault of ours");
        Self::Fault
    }
}

impl From<Guarded> for Error {
    fn from(guarded: Guarded) -> Self {
        match guarded {
            Guarded::Shut(wait) => Self::Throttled(wait),
            Guarded::Store(error) => error.into(),
            Guarded::Password(error) => error.into(),
        }
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
            Self::Common(error) => status(error),
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// `None` where there is no body.
    fn message(&self) -> Option<Cow<'static, str>> {
        use error::Error::{
            BodyTooLarge, MalformedBody, MethodNotAllowed, RouteNotFound, Store, TimedOut, Unauthenticated,
            UnsupportedMediaType,
        };
        let text = match self {
            Self::Common(Unauthenticated(_) | UnsupportedMediaType | RouteNotFound | MethodNotAllowed { .. })
            | Self::NotAcceptable
            | Self::Forbidden
            | Self::NotFound => return None,
            Self::Common(MalformedBody(problem)) => return Some(problem.clone().into()),
            Self::Invalid(problem) => return Some(problem.text()),
            Self::Common(BodyTooLarge) => "The body must be smaller than 1 MiB",
            Self::Throttled(_) => "Too many wrong passwords",
            Self::Common(TimedOut | Store(StoreError::Unavailable(_) | StoreError::Contended)) => {
                "The service is busy; try again"
            }
            Self::Common(Store(StoreError::Refused(_) | StoreError::Item(_))) | Self::Fault => {
                "Something went wrong on our side"
            }
        };
        Some(text.into())
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Common(error) => common_header(error, CHALLENGE),
            Self::Throttled(wait) => Some((header::RETRY_AFTER, whole_seconds(*wait).into())),
            Self::NotAcceptable | Self::Forbidden | Self::NotFound | Self::Invalid(_) | Self::Fault => None,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Common(error) = &self {
            log(error);
        }
        let extra = AppendHeaders(self.header());
        match self.message() {
            Some(message) => (self.status(), extra, Json(message)).into_response(),
            None => (self.status(), extra).into_response(),
        }
    }
}
