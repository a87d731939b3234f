//! Requests that no other function's route answers: unknown paths, methods that a path does not serve, and CORS
//! preflights.
//!
//! API Gateway sends every request here that matches no route. The local gateway does the same in the process.

use axum::Router;
use greenroom_core::config::Setting;
use greenroom_http::{App, RouteTable};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::StreamsAccessToken,
    Setting::SigningKeys,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The OpenAPI document, with the other functions' paths and methods.
const DOCUMENT: &str = include_str!("../../../openapi.json");

/// No routes: every request falls back.
pub fn routes() -> Router<App> {
    Router::new()
}

/// The other functions' paths and methods.
#[must_use]
pub fn table() -> RouteTable {
    RouteTable::from_paths(|| {
        let document: serde_json::Value = serde_json::from_str(DOCUMENT).unwrap_or_default();
        document["paths"].clone()
    })
}
