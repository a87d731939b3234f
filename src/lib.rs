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
use greenroom_http::{self, App, RouteTable};
use serde_json::Value;
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
        function!("create-session", greenroom_create_session),
        function!("device-session", greenroom_device_session),
        function!("media-sessions", greenroom_media_sessions),
        function!("messages", greenroom_messages),
        function!("rooms", greenroom_rooms),
        function!("contacts", greenroom_contacts),
        function!("message-events", greenroom_message_events),
        function!("issue-token", greenroom_issue_token),
        function!("api-root", greenroom_api_root),
        function!("token-auth", greenroom_token_auth),
        function!("users", greenroom_users),
        function!("events", greenroom_events),
        function!("sessions", greenroom_sessions),
        function!("logintokens", greenroom_logintokens),
        function!("apitokens", greenroom_apitokens),
        function!("rtcsessions", greenroom_rtcsessions),
        function!("networktestsessions", greenroom_networktestsessions),
        function!("bookingemails", greenroom_bookingemails),
        function!("stream-sessions", greenroom_stream_sessions),
        function!("admission", greenroom_admission),
        function!("live", greenroom_live),
        function!("opentok-webhook", greenroom_opentok_webhook),
        function!("specification", greenroom_specification),
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
    document::finish(&api().1)
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
