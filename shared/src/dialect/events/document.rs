//! The refusals that most endpoints share, for the OpenAPI document.

use utoipa::IntoResponses;

use super::{Detail, Fields};

/// What a request without a body may be answered with.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The credentials are missing, or no longer good
    #[response(status = 401)]
    Unauthenticated(#[to_schema] Detail),
    /// The caller may not do this
    #[response(status = 403)]
    Forbidden(#[to_schema] Detail),
    /// There is no such thing, for this caller
    #[response(status = 404)]
    NotFound(#[to_schema] Detail),
    /// The service is busy
    #[response(status = 503)]
    Unavailable(#[to_schema] Detail),
}

/// What a body may be answered with besides.
#[derive(IntoResponses)]
pub enum BodyRefusals {
    /// A field is missing or not valid, or the body is no JSON
    #[response(status = 400)]
    Invalid(#[to_schema] Fields),
    /// The body has 1 MiB or more
    #[response(status = 413)]
    TooLarge(#[to_schema] Detail),
    /// The body is not JSON
    #[response(status = 415)]
    UnsupportedMediaType(#[to_schema] Detail),
}
