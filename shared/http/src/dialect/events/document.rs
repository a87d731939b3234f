//! The refusals that the endpoints share, for the OpenAPI document.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses,
    openapi::{RefOr, Response},
};

use super::{Detail, FieldErrors};

/// The refusals of any request.
#[derive(IntoResponses)]
pub enum Faults {
    /// An internal error
    #[response(status = 500, example = json!({"detail": "Something went wrong on our side."}))]
    Fault(#[to_schema] Detail),
    /// The service is busy
    #[response(
        status = 503,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({"detail": "The service is busy; try again."}),
    )]
    Unavailable(#[to_schema] Detail),
}

/// The refusals of credentials.
#[derive(IntoResponses)]
pub enum CredentialRefusals {
    /// The credentials are missing or no longer valid
    #[response(
        status = 401,
        headers((
            "WWW-Authenticate" = String,
            description = "The scheme to use: `JWT realm=\"api\"`, or `Token` where an API token is asked for"
        )),
        example = json!({"detail": "Authentication credentials were not provided."}),
    )]
    Unauthenticated(#[to_schema] Detail),
}

/// The refusals of a request with credentials.
pub enum Refusals {}

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        CredentialRefusals::responses().into_iter().chain(Faults::responses()).collect()
    }
}

/// The refusals of a request that needs a permission.
#[derive(IntoResponses)]
pub enum Forbidden {
    /// The caller may not do this
    #[response(status = 403, example = json!({"detail": "You do not have permission to perform this action."}))]
    Forbidden(#[to_schema] Detail),
}

/// The refusals of a request that names something.
#[derive(IntoResponses)]
pub enum NotFound {
    /// The object does not exist, or the caller cannot see it
    #[response(status = 404, example = json!({"detail": "Not found."}))]
    NotFound(#[to_schema] Detail),
}

/// The refusals of a body.
#[derive(IntoResponses)]
pub enum BodyRefusals {
    /// Fields are missing or not valid, or the body is no JSON object
    #[response(status = 400, example = json!({"name": ["This field is required."]}))]
    Invalid(#[to_schema] FieldErrors),
    /// The body has 1 MiB or more
    #[response(status = 413, example = json!({"detail": "The body must be smaller than 1 MiB."}))]
    TooLarge(#[to_schema] Detail),
    /// The body is not JSON
    #[response(status = 415, example = json!({"detail": "Unsupported media type \"text/plain\" in request."}))]
    UnsupportedMediaType(#[to_schema] Detail),
}

/// The refusals of a request with a value that could be guessed.
#[derive(IntoResponses)]
pub enum Throttled {
    /// Too many wrong passwords or login tokens were sent, or too many passwords are waiting to be checked
    #[response(
        status = 429,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({"detail": "Request was throttled. Expected available in 271 seconds."}),
    )]
    Throttled(#[to_schema] Detail),
}
