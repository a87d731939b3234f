//! The refusals that the endpoints share, for the OpenAPI document.

use utoipa::IntoResponses;

use super::Body;

/// The refusals of any request.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The token is missing, malformed, expired or revoked
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Bearer`")),
        example = json!({"error": {"code": "unauthenticated", "message": "The token is invalid, expired or revoked"}}),
    )]
    Unauthenticated(#[to_schema] Body),
    /// An internal error
    #[response(
        status = 500,
        example = json!({"error": {"code": "internal", "message": "Something went wrong on our side"}}),
    )]
    Fault(#[to_schema] Body),
    /// The database table is busy
    #[response(
        status = 503,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({"error": {"code": "unavailable", "message": "The service is busy; try again"}}),
    )]
    Unavailable(#[to_schema] Body),
}
