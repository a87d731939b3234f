//! The refusals that the endpoints share, for the OpenAPI document.

use utoipa::{IntoResponses, ToSchema};

/// An error, in the form of the original API.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
pub struct StreamsError {
    /// The reason of the error.
    #[schema(example = "[HTTP] Invalid credential (401)")]
    message: String,
    /// The reason of the error, if the message does not say it.
    #[schema(required = false, example = "Could not find the session")]
    response: String,
    /// The HTTP status.
    #[schema(example = 401)]
    status_code: u16,
}

/// The refusals of an operator's request.
#[derive(IntoResponses)]
pub enum Refusals {
    /// The credentials are missing or wrong
    #[response(
        status = 401,
        headers(("WWW-Authenticate" = String, description = "The scheme to use: `Basic`, and the realm")),
        example = json!({"message": "[HTTP] Invalid credential (401)", "statusCode": 401}),
    )]
    Unauthenticated(#[to_schema] StreamsError),
    /// An internal error
    #[response(
        status = 500,
        example = json!({"message": "[HTTP] Something went wrong on our side (500)", "statusCode": 500}),
    )]
    Fault(#[to_schema] StreamsError),
    /// The database table is busy
    #[response(
        status = 503,
        headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
        example = json!({"message": "[HTTP] The service is busy; try again (503)", "statusCode": 503}),
    )]
    Unavailable(#[to_schema] StreamsError),
}
