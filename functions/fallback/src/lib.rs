//! What no other function's route answers: unknown paths, methods that a path does not serve, and CORS preflights.
//!
//! API Gateway sends here what matches no route. The local gateway does the same in-process.

use axum::Router;
use shared::{App, config::Setting, http::RouteTable};

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::OpenviduSecret,
    Setting::StreamsAccessToken,
    Setting::SigningKeys,
    Setting::CorsOrigins,
    Setting::Log,
];

/// The document of the whole API: the other functions' paths and methods.
const DOCUMENT: &str = include_str!("../../../openapi.json");

/// No route: everything falls back.
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
