//! The refusals that the endpoints share, for the OpenAPI document.

use utoipa::IntoResponses;

/// The refusals of any request.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The credentials are missing, or wrong
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Basic`, and the realm")),
    )]
    Unauthenticated,
    /// The `Accept` header does not allow the content type of the answer
    #[response(status = 406)]
    NotAcceptable,
    /// There were too many wrong passwords
    #[response(
        status = 429,
        content_type = "application/json",
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!("Too many wrong passwords"),
    )]
    Throttled(#[to_schema] String),
    /// An internal error
    #[response(status = 500, content_type = "application/json", example = json!("Something went wrong on our side"))]
    Fault(#[to_schema] String),
    /// The service is busy
    #[response(
        status = 503,
        content_type = "application/json",
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!("The service is busy; try again"),
    )]
    Unavailable(#[to_schema] String),
}

/// The refusals of a request whose parts may not be valid.
#[derive(IntoResponses)]
pub enum Invalid {
    /// The request is not valid; the body says why
    #[response(status = 400, content_type = "application/json", example = json!("Missing message body"))]
    Invalid(#[to_schema] String),
}

/// The refusals of a request that needs a permission.
#[derive(IntoResponses)]
pub enum Forbidden {
    /// The caller may not do this
    #[response(status = 403)]
    Forbidden,
}

/// The refusals of a request that names something.
#[derive(IntoResponses)]
pub enum NotFound {
    /// The request names something that does not exist
    #[response(status = 404)]
    NotFound,
}

/// The refusals of a body.
#[derive(IntoResponses)]
pub enum BodyRefusals {
    /// The request is not valid; the body says why
    #[response(status = 400, content_type = "application/json", example = json!("Missing message body"))]
    Invalid(#[to_schema] String),
    /// The body has 1 MiB or more
    #[response(status = 413, content_type = "application/json", example = json!("The body must be smaller than 1 MiB"))]
    TooLarge(#[to_schema] String),
    /// The body is not JSON
    #[response(status = 415)]
    UnsupportedMediaType,
}
