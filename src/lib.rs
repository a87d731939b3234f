//! Greenroom: five session APIs for real-time media on one store.
//!
//! Each endpoint is a Lambda function of its own. This crate joins them: in the table of [`functions`], in the local
//! gateway that serves them in one process, and in the OpenAPI document.

pub mod cli;
mod document;
pub mod embedded;
pub mod table;

use axum::Router;
use greenroom_core::config::Setting;
pub use greenroom_http::Function;
use greenroom_http::{App, RouteTable};
use serde_json::Value;
use utoipa::{OpenApi, openapi};
use utoipa_axum::router::OpenApiRouter;

use document::Document;

/// All functions. The local gateway, the OpenAPI document and the checks of `template.yaml` and `events/` use this
/// list.
#[must_use]
pub fn functions() -> Vec<Function> {
    vec![
        greenroom_create_session::function(),
        greenroom_device_session::function(),
        greenroom_media_sessions::function(),
        greenroom_messages::function(),
        greenroom_rooms::function(),
        greenroom_contacts::function(),
        greenroom_message_events::function(),
        greenroom_issue_token::function(),
        greenroom_openvidu_server::function(),
        greenroom_api_root::function(),
        greenroom_token_auth::function(),
        greenroom_users::function(),
        greenroom_events::function(),
        greenroom_sessions::function(),
        greenroom_logintokens::function(),
        greenroom_apitokens::function(),
        greenroom_rtcsessions::function(),
        greenroom_networktestsessions::function(),
        greenroom_bookingemails::function(),
        greenroom_stream_sessions::function(),
        greenroom_admission::function(),
        greenroom_live::function(),
        greenroom_opentok_webhook::function(),
        greenroom_livekit_webhook::function(),
        greenroom_specification::function(),
        unrouted("housekeeping", greenroom_housekeeping::SETTINGS),
        unrouted("fallback", greenroom_fallback::SETTINGS),
    ]
}

/// A function without a route of its own.
fn unrouted(name: &'static str, settings: &'static [Setting]) -> Function {
    Function { name, routes: OpenApiRouter::new(), router: Router::new(), settings }
}

/// All routes in one process, with their OpenAPI document.
pub fn api() -> (Router<App>, openapi::OpenApi) {
    let document = OpenApiRouter::with_openapi(Document::openapi());
    functions().into_iter().fold(document, |api, function| api.merge(function.routes)).split_for_parts()
}

/// The complete OpenAPI document: the content of `openapi.json`, which `GET /openapi.json` serves.
#[must_use]
pub fn specification() -> Value {
    let (_, mut document) = api();
    document::finish(&mut document);
    serde_json::to_value(document).unwrap_or_default()
}

/// The whole API as one service, for the local gateway.
pub fn service(app: &App) -> Router {
    let (routes, document) = api();
    greenroom_http::service(routes, RouteTable::of(move || document), app)
}

/// All methods (in lower case) and paths of a document.
#[must_use]
pub fn routes(document: &openapi::OpenApi) -> Vec<(String, String)> {
    let paths = serde_json::to_value(&document.paths).unwrap_or_default();
    let paths = paths.as_object().into_iter().flatten();
    paths
        .flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flat_map(|item| item.keys());
            methods.map(|method| (method.clone(), path.clone())).collect::<Vec<_>>()
        })
        .collect()
}
