//! Session management, `/api/v2`: `{"detail":…}`, and messages by field (`docs/apis/events-api.md`).

mod document;
mod fields;

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{AppendHeaders, IntoResponse, Response},
};
use greenroom_media::{mail::MailError, provider::ProviderError};
use greenroom_store::{Conflict, Kind, StoreError, Unique};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    document::{BodyRefusals, CredentialRefusals, Faults, Forbidden, NotFound, Refusals, Throttled},
    fields::{FieldErrors, Problem},
};
use super::openvidu::Sent;
use crate::error::{self, RETRY_AFTER, whole_seconds};

/// The prefix of the paths of this API.
pub const ROOT: &str = "/api/v2";

/// The prefix of the paths of static API tokens.
pub const API_TOKENS: &str = "/api/v2/apitokens";
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
    Unauthenticated(Challenge, Unauthenticated),
    /// The caller may not do this.
    Forbidden,
    /// The thing that the path names does not exist, or not for this caller.
    NotFound,
    /// The body does not say that it is JSON. This is what it says.
    UnsupportedMediaType(Sent),
    /// The body is not JSON. This says why, and quotes nothing of it.
    NoJson(String),
    /// Some fields are not valid.
    Invalid(FieldErrors),
    /// The service cannot do this for now.
    TryAgain(&'static str),
    /// The media server of a connection cannot end it.
    CannotEnd,
    /// No secret of ours signed a webhook.
    InvalidSignature,
    /// The booking mail was refused for good.
    MailRefused,
}

/// The challenge of an endpoint: its `WWW-Authenticate` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
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

impl From<ProviderError> for Error {
    fn from(error: ProviderError) -> Self {
        if let ProviderError::NoArchives = error {
            return Self::TryAgain("Archiving is not available.");
        }
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
        error::Error::Fault.into()
    }
}

impl From<greenroom_media::provider::TokenError> for Error {
    fn from(error: greenroom_media::provider::TokenError) -> Self {
        tracing::error!(%error, "a token cannot be made");
        error::Error::Fault.into()
    }
}

impl From<greenroom_media::provider::T1Error> for Error {
    fn from(error: greenroom_media::provider::T1Error) -> Self {
        // The sessions belong to another project than the configured one.
        tracing::error!(%error, "a token cannot be made");
        error::Error::Fault.into()
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

impl Error {
    fn status(&self) -> StatusCode {
        match self {
            Self::Common(error) => error.answer().0,
            Self::Unauthenticated(..) | Self::InvalidSignature => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::UnsupportedMediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NoJson(_) | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::CannotEnd => StatusCode::CONFLICT,
            Self::TryAgain(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::MailRefused => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> Cow<'_, str> {
        use error::Error as Common;
        let text = match self {
            Self::Common(error) => {
                return match error {
                    Common::Unauthenticated(_) => Unauthenticated::Missing.detail(Challenge::Jwt).into(),
                    Common::MalformedBody(problem) => parse_error(problem),
                    Common::UnsupportedMediaType => "Unsupported media type in request.".into(),
                    Common::RouteNotFound => NOT_FOUND.into(),
                    Common::MethodNotAllowed { method, .. } => format!("Method \"{method}\" not allowed.").into(),
                    Common::Throttled(wait) => throttled(whole_seconds(*wait)),
                    Common::BodyTooLarge | Common::TimedOut | Common::Store(_) | Common::Fault => {
                        format!("{}.", error.answer().1).into()
                    }
                };
            }
            Self::Unauthenticated(challenge, reason) => reason.detail(*challenge),
            Self::Forbidden => "You do not have permission to perform this action.",
            Self::NotFound => NOT_FOUND,
            Self::UnsupportedMediaType(kind) => return format!("Unsupported media type \"{kind}\" in request.").into(),
            Self::NoJson(problem) => return parse_error(problem),
            Self::Invalid(_) => "Some fields are not valid.",
            Self::TryAgain(reason) => reason,
            Self::CannotEnd => "The media server cannot end a single session.",
            Self::InvalidSignature => "Invalid signature.",
            Self::MailRefused => "The booking is kept, but its e-mail could not be sent.",
        };
        text.into()
    }

    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::Common(error) => error.header(Challenge::Jwt.header()),
            Self::Unauthenticated(challenge, _) => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge.header())))
            }
            Self::TryAgain(_) => Some((header::RETRY_AFTER, RETRY_AFTER)),
            Self::Forbidden
            | Self::NotFound
            | Self::UnsupportedMediaType(_)
            | Self::NoJson(_)
            | Self::Invalid(_)
            | Self::CannotEnd
            // A webhook does not ask for credentials.
            | Self::InvalidSignature
            | Self::MailRefused => None,
        }
    }
}

const NOT_FOUND: &str = "Not found.";

fn parse_error(problem: &str) -> Cow<'static, str> {
    format!("JSON parse error - {problem}").into()
}

/// The time to wait, in the words of Django REST Framework.
fn throttled(seconds: u64) -> Cow<'static, str> {
    let unit = if seconds == 1 { "second" } else { "seconds" };
    format!("Request was throttled. Expected available in {seconds} {unit}.").into()
}

impl Challenge {
    const fn header(self) -> &'static str {
        match self {
            Self::Jwt => "JWT realm=\"api\"",
            Self::Token => "Token",
        }
    }
}

impl Unauthenticated {
    /// The text of the original API.
    #[must_use]
    pub const fn detail(self, challenge: Challenge) -> &'static str {
        match (self, challenge) {
            (Self::Missing, _) => "Authentication credentials were not provided.",
            (Self::Empty, Challenge::Jwt) => "Invalid Authorization header. No credentials provided.",
            (Self::Empty, Challenge::Token) => "Invalid token header. No credentials provided.",
            (Self::Spaces, Challenge::Jwt) => {
                "Invalid Authorization header. Credentials string should not contain spaces."
            }
            (Self::Spaces, Challenge::Token) => "Invalid token header. Token string should not contain spaces.",
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
            error.log();
        }
        let (status, extra) = (self.status(), AppendHeaders(self.header()));
        match self {
            Self::Invalid(errors) => (status, extra, Json(errors)).into_response(),
            other => (status, extra, Json(Detail { detail: other.detail().into_owned() })).into_response(),
        }
    }
}
