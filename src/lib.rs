//! Greenroom: five session APIs for real-time media on one store.
//!
//! Each endpoint is a Lambda function of its own; here all of them meet: in the table of [`functions`], in the local
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

/// A function: its name, what it serves and what it reads from its environment.
pub struct Function {
    /// The name of its binary.
    pub name: &'static str,
    /// Its routes; none where it is not for API Gateway to invoke.
    pub routes: OpenApiRouter<App>,
    /// The same routes without their document: what it serves on Lambda.
    pub router: Router<App>,
    /// Its settings.
    pub settings: &'static [Setting],
}

/// Every function. The local gateway, the OpenAPI document and the checks of `template.yaml` and `events/` come from
/// this table.
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

/// A function that no route leads to.
fn unrouted(name: &'static str, settings: &'static [Setting]) -> Function {
    Function { name, routes: OpenApiRouter::new(), router: Router::new(), settings }
}

/// All routes in one process, with their OpenAPI document.
pub fn api() -> (Router<App>, openapi::OpenApi) {
    let document = OpenApiRouter::with_openapi(Document::openapi());
    functions().into_iter().fold(document, |api, function| api.merge(function.routes)).split_for_parts()
}

/// The OpenAPI document, complete: what `openapi.json` has, and `GET /openapi.json` serves.
#[must_use]
pub fn specification() -> Value {
    document::finish(&api().1)
}

/// The whole API as one service: what the local gateway runs.
pub fn service(app: &App) -> Router {
    let (routes, document) = api();
    http::service(routes, RouteTable::of(move || document), app)
}

/// Every method (in lower case) and path of a document.
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
