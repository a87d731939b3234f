//! Greenroom: five session APIs for real-time media on one store.
//!
//! Each endpoint is a Lambda function of its own. This crate joins them: in the table of [`functions`], in the local
//! gateway that serves them in one process, and in the OpenAPI document.

pub mod cli;
mod document;
pub mod embedded;
pub mod table;

use axum::Router;
use serde_json::Value;
use shared::{
    App,
    config::Setting,
    http::{self, RouteTable},
};
use utoipa::{OpenApi, openapi};
use utoipa_axum::router::OpenApiRouter;

use document::Document;

/// A function: its name, its routes and its settings.
pub struct Function {
    /// The name of its binary.
    pub name: &'static str,
    /// Its routes. There are none if API Gateway does not invoke it.
    pub routes: OpenApiRouter<App>,
    /// The same routes without their document, as Lambda serves them.
    pub router: Router<App>,
    /// Its settings.
    pub settings: &'static [Setting],
}

/// All functions. The local gateway, the OpenAPI document and the checks of `template.yaml` and `events/` use this
/// list.
#[must_use]
pub fn functions() -> Vec<Function> {
    macro_rules! function {
        ($name:literal, $function:ident) => {
            Function {
                name: $name,
                routes: $function::routes(),
                router: $function::router(),
                settings: $function::SETTINGS,
            }
        };
    }
    vec![
        function!("create-session", create_session),
        function!("device-session", device_session),
        function!("media-sessions", media_sessions),
        function!("messages", messages),
        function!("rooms", rooms),
        function!("contacts", contacts),
        function!("message-events", message_events),
        function!("issue-token", issue_token),
        function!("api-root", api_root),
        function!("token-auth", token_auth),
        function!("users", users),
        function!("events", events),
        function!("sessions", sessions),
        function!("logintokens", logintokens),
        function!("apitokens", apitokens),
        function!("rtcsessions", rtcsessions),
        function!("networktestsessions", networktestsessions),
        function!("bookingemails", bookingemails),
        function!("stream-sessions", stream_sessions),
        function!("admission", admission),
        function!("live", live),
        function!("opentok-webhook", opentok_webhook),
        function!("specification", specification),
        unrouted("housekeeping", housekeeping::SETTINGS),
        unrouted("fallback", fallback::SETTINGS),
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
    document::finish(&api().1)
}

/// The whole API as one service, for the local gateway.
pub fn service(app: &App) -> Router {
    let (routes, document) = api();
    http::service(routes, RouteTable::of(move || document), app)
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
