//! The refusals that the endpoints share, for the OpenAPI document.

use utoipa::IntoResponses;

use super::Body;

/// The refusals of a request that needs no table.
#[derive(IntoResponses)]
pub enum Guarded {
    /// The credentials are missing or wrong
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Basic`, and the realm")),
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 401,
            "error": "Unauthorized",
            "message": "Full authentication is required to access this resource",
            "path": "/openvidu/api/config",
        }),
    )]
    Unauthenticated(#[to_schema] Body),
}

/// The refusals of any other request.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The credentials are missing or wrong
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Basic`, and the realm")),
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 401,
            "error": "Unauthorized",
            "message": "Full authentication is required to access this resource",
            "path": "/api/tokens",
        }),
    )]
    Unauthenticated(#[to_schema] Body),
    /// An internal error
    #[response(
        status = 500,
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 500,
            "error": "Internal Server Error",
            "message": "Something went wrong on our side",
            "path": "/api/tokens",
        }),
    )]
    Fault(#[to_schema] Body),
    /// The database table is busy
    #[response(
        status = 503,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 503,
            "error": "Service Unavailable",
            "message": "The service is busy; try again",
            "path": "/api/tokens",
        }),
    )]
    Unavailable(#[to_schema] Body),
}

/// The refusals of a body.
#[derive(IntoResponses)]
pub enum BodyRefusals {
    /// The body has 1 MiB or more
    #[response(
        status = 413,
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 413,
            "error": "Payload Too Large",
            "message": "The body must be smaller than 1 MiB",
            "path": "/api/tokens",
        }),
    )]
    TooLarge(#[to_schema] Body),
    /// The body is not JSON
    #[response(
        status = 415,
        example = json!({
            "timestamp": 1_795_344_000_000_u64,
            "status": 415,
            "error": "Unsupported Media Type",
            "message": "The body must be application/json",
            "path": "/api/tokens",
        }),
    )]
    UnsupportedMediaType(#[to_schema] Body),
}
