//! The refusals that the endpoints share, for the OpenAPI document.

use utoipa::IntoResponses;

/// What a request without a body may be answered with.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The request is not what it has to be: what is wrong with it
    #[response(status = 400, content_type = "application/json")]
    Invalid(#[to_schema] String),
    /// The credentials are missing, or wrong
    #[response(status = 401)]
    Unauthenticated,
    /// The caller may not do this
    #[response(status = 403)]
    Forbidden,
    /// There is no such thing
    #[response(status = 404)]
    NotFound,
    /// The caller takes no answer of this kind
    #[response(status = 406)]
    NotAcceptable,
    /// There were too many wrong passwords
    #[response(status = 429, content_type = "application/json")]
    Throttled(#[to_schema] String),
    /// The service is busy
    #[response(status = 503, content_type = "application/json")]
    Unavailable(#[to_schema] String),
}

/// What a body may be answered with besides.
#[derive(IntoResponses)]
pub enum BodyRefusals {
    /// The body has 1 MiB or more
    #[response(status = 413, content_type = "application/json")]
    TooLarge(#[to_schema] String),
    /// The body is not JSON
    #[response(status = 415)]
    UnsupportedMediaType,
}
