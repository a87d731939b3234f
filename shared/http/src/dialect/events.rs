//! Session management, `/api/v2`: `{"detail":…}`, and messages by field (`docs/apis/events-api.md`).

mod document;
mod fields;

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_core::password::{self, PasswordError};
use greenroom_media::mail::MailError;
use greenroom_store::{Conflict, Kind, StoreError, Unique};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

pub use self::{
    document::{BodyRefusals, Faults, Forbidden, NotFound, Refusals, Throttled},
    fields::{FieldErrors, Problem},
};
use super::{RETRY_AFTER, openvidu::Sent, status, whole_seconds};
use crate::{auth::Guarded, error};

/// The prefix of the paths of this API.
pub const ROOT: &str = "/api/v2";

/// The path of the list of live connections.
pub const LIVE: &str = "/api/live";
/// The prefix of the paths that webhooks of other services are sent to.
pub const WEBHOOKS: &str = "/webhooks";

/// Whether a path belongs to this API.
#[must_use]
pub fn owns(path: &str) -> bool {
    [ROOT, LIVE, WEBHOOKS]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Why a request was refused.
#[derive(Debug)]
pub enum Error {
    /// An event that all APIs have in common.
    Common(error::Error),
    /// The caller was not authenticated.
    Unauthenticated(Scheme, Unauthenticated),
    /// The caller may not do this.
    Forbidden,
    /// The thing that the path names does not exist, or not for this caller.
    NotFound,
    /// The path is served with other methods only.
    MethodNotAllowed {
        /// The method.
        method: Method,
        /// The value of the `Allow` header.
        allow: String,
    },
    /// The body does not say that it is JSON. This is what it says.
    UnsupportedMediaType(Sent),
    /// The body is not JSON. This says why, and quotes nothing of it.
    NoJson(String),
    /// Some fields are not valid.
    Invalid(FieldErrors),
    /// The service cannot do this for now.
    TryAgain(&'static str),
    /// There were too many wrong values. The next may be tried after this time.
    Throttled(Duration),
    /// The media server of a connection cannot end it.
    CannotEnd,
    /// No secret of ours signed a webhook.
    InvalidSignature,
    /// The booking mail was refused for good.
    MailRefused,
    /// A fault of ours.
    Fault,
}

/// The credentials that an endpoint asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A JSON Web Token of a user.
    Jwt,
    /// A static API token.
    Token,
}

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthenticated {
    /// There are none, or they have another scheme.
    Missing,
    /// There is only the scheme.
    Empty,
    /// There is more than one word.
    Spaces,
    /// The token has ended.
    Expired,
    /// The token was not signed by Greenroom.
    Undecodable,
    /// The token's user was deleted.
    UnknownUser,
    /// The token's user is blocked.
    Blocked,
    /// There is no such token.
    UnknownToken,
}

impl<E: Into<error::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Common(error.into())
    }
}

impl From<Conflict> for Error {
    fn from(conflict: Conflict) -> Self {
        let field = |name, problem| Self::Invalid(FieldErrors::one(name, &problem));
        match conflict {
            Conflict::Gone => Self::NotFound,
            Conflict::Taken(Unique::Username) => field("username", Problem::UsernameTaken),
            Conflict::Taken(Unique::EventName) => field("name", Problem::EventNameTaken),
            Conflict::Taken(Unique::LoginToken) => field("token", Problem::LoginTokenTaken),
            Conflict::Taken(Unique::Floor) => field("isFloor", Problem::FloorTaken),
            Conflict::NoParent(Kind::User, id) => field("creator", Problem::InvalidPk(id.to_string())),
            Conflict::NoParent(Kind::Event, id) => field("owner", Problem::InvalidPk(id.to_string())),
            Conflict::NoParent(Kind::Session | Kind::LoginToken, id) => {
                field("event", Problem::InvalidPk(id.to_string()))
            }
            Conflict::OwnsEvents => field("nonFieldErrors", Problem::OwnsEvents),
            Conflict::NoManager(id) => field("managers", Problem::InvalidPk(id.to_string())),
            // Writes that change a provider's session id have no condition on it.
            Conflict::Changed | Conflict::PasswordChanged | Conflict::Taken(Unique::ProviderSession) => {
                StoreError::Contended.into()
            }
        }
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
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

impl From<greenroom_media::provider::ProviderError> for Error {
    fn from(error: greenroom_media::provider::ProviderError) -> Self {
        tracing::error!(%error, "the media provider failed");
        Self::TryAgain("The media provider cannot be reached; try again.")
    }
}

impl From<MailError> for Error {
    fn from(error: MailError) -> Self {
        tracing::error!(%error, "a booking is kept, and its mail was not sent");
        match error {
            MailError::Refused(_) => Self::MailRefused,
            MailError::Unavailable(_) => Self::TryAgain("The booking is kept, but its e-mail could not be sent yet."),
        }
    }
}

impl From<greenroom_media::mail::MailerError> for Error {
    fn from(error: greenroom_media::mail::MailerError) -> Self {
        tracing::error!(%error, "no mail can be sent");
        Self::Fault
    }
}

impl From<greenroom_media::provider::T1Error> for Error {
    fn from(error: greenroom_media::provider::T1Error) -> Self {
        // The sessions belong to another project than the configured one.
        tracing::error!(%error, "a token cannot be made");
        Self::Fault
    }
}

/// A general error.
#[derive(Serialize, ToSchema)]
#[schema(as = EventsError)]
pub struct Detail {
    /// The reason of the error.
    #[schema(example = "Authentication credentials were not provided.")]
    detail: String,
}

/// The problems of a request's fields: messages by field, nested as the request is.
#[derive(Serialize, ToSchema)]
#[schema(as = EventsFieldErrors, value_type = Object, example = json!({"name": ["This field is required."]}))]
pub struct Fields(Map<String, Value>);

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Common(error) => status(error),
            Self::Unauthenticated(..) | Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoJson(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::CannotEnd => StatusCode::CONFLICT,
            Self::TryAgain(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::MailRefused | Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> String {
        use error::Error as Common;
        let text = match self {
            Self::Unauthenticated(scheme, reason) => reason.detail(*scheme),
            Self::Forbidden => "You do not have permission to perform this action.",
            Self::NotFound | Self::Common(Common::RouteNotFound) => "Not found.",
            Self::MethodNotAllowed { method, .. } => return format!("Method \"{method}\" not allowed."),
            Self::UnsupportedMediaType(kind) => return format!("Unsupported media type \"{kind}\" in request."),
            Self::NoJson(problem) | Self::Common(Common::MalformedBody(problem)) => {
                return format!("JSON parse error - {problem}");
            }
            Self::TryAgain(reason) => reason,
            Self::Throttled(wait) => return throttled(whole_seconds(*wait)),
            Self::CannotEnd => "The media server cannot end a single session.",
            Self::InvalidSignature => "Invalid signature.",
            Self::MailRefused => "The booking is kept, but its e-mail could not be sent.",
            Self::Common(Common::BodyTooLarge) => "The body must be smaller than 1 MiB.",
            Self::Common(Common::Unauthenticated(_)) => Unauthenticated::Missing.detail(Scheme::Jwt),
            Self::Common(Common::MethodNotAllowed { .. }) => "Method not allowed.",
            Self::Common(Common::UnsupportedMediaType) => "Unsupported media type in request.",
            Self::Common(Common::TimedOut | Common::Store(StoreError::Unavailable(_) | StoreError::Contended)) => {
                "The service is busy; try again."
            }
            Self::Common(Common::Store(StoreError::Refused(_) | StoreError::Item(_)))
            | Self::Fault
            | Self::Invalid(_) => "Something went wrong on our side.",
        };
        text.to_owned()
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Common(error) => super::header(error, Scheme::Jwt.challenge()),
            Self::Unauthenticated(scheme, _) => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(scheme.challenge())))
            }
            Self::MethodNotAllowed { allow, .. } => Some((header::ALLOW, HeaderValue::try_from(allow).ok()?)),
            Self::TryAgain(_) => Some((header::RETRY_AFTER, RETRY_AFTER)),
            Self::Throttled(wait) => Some((header::RETRY_AFTER, whole_seconds(*wait).into())),
            Self::Forbidden
            | Self::NotFound
            | Self::UnsupportedMediaType(_)
            | Self::NoJson(_)
            | Self::Invalid(_)
            | Self::CannotEnd
            // A webhook does not ask for credentials.
            | Self::InvalidSignature
            | Self::MailRefused
            | Self::Fault => None,
        }
    }
}

/// The time to wait, in the words of Django REST Framework.
fn throttled(seconds: u64) -> String {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Request was throttled. Expected available in {seconds} {unit}.")
}

impl Scheme {
    const fn challenge(self) -> &'static str {
        match self {
            Self::Jwt => "JWT realm=\"api\"",
            Self::Token => "Token",
        }
    }
}

impl Unauthenticated {
    /// The text of the original API.
    #[must_use]
    pub const fn detail(self, scheme: Scheme) -> &'static str {
        match (self, scheme) {
            (Self::Missing, _) => "Authentication credentials were not provided.",
            (Self::Empty, Scheme::Jwt) => "Invalid Authorization header. No credentials provided.",
            (Self::Empty, Scheme::Token) => "Invalid token header. No credentials provided.",
            (Self::Spaces, Scheme::Jwt) => {
                "Invalid Authorization header. Credentials string should not contain spaces."
            }
            (Self::Spaces, Scheme::Token) => "Invalid token header. Token string should not contain spaces.",
            (Self::Expired, _) => "Signature has expired.",
            (Self::Undecodable, _) => "Error decoding signature.",
            (Self::UnknownUser, _) => "Invalid signature.",
            (Self::Blocked, _) => "User account is disabled.",
            (Self::UnknownToken, _) => "Invalid token.",
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        if let Self::Common(error) = &self {
            super::log(error);
        }
        let (status, extra) = (self.status(), AppendHeaders(self.header()));
        match self {
            Self::Invalid(errors) => (status, extra, Json(Fields(errors.into_map()))).into_response(),
            other => (status, extra, Json(Detail { detail: other.detail() })).into_response(),
        }
    }
}
