//! Checks of the routes: whether each leads to its function. The requests name nobody and send nothing, so they change
//! nothing.

use futures_util::{StreamExt, stream};
use greenroom_media::outgoing::{self, HttpClient};
use http::StatusCode;
use serde_json::{Value, json};

use super::{Check, request::request};
use crate::cli::{stack::Stack, text::some};

/// The output of a stack with the URL of the streams of events, which no HTTP API can serve.
const EVENTS_URL: &str = "EventsUrl";
const EVENTS_PATH: &str = "/api/sse";
/// The number of requests at once. Each may have to wait for a cold start.
const MAX_CONCURRENT: usize = 8;
/// The value of a parameter in a path. Nothing has this name.
const NOBODY: &str = "0";
/// The value of a parameter that names a file. Files are public.
const FILE: &str = "start.js";

/// A route that is requested.
struct Route {
    method: String,
    path: String,
    url: String,
    documented: Vec<u16>,
    /// Whether the route asks for no credentials.
    is_open: bool,
}

pub(super) async fn check(stack: &Stack, api_url: &str) -> Vec<Check> {
    let document = serde_json::to_value(&crate::api().1.paths).unwrap_or_default();
    let routes = routes(&document, api_url, stack.output(EVENTS_URL));
    let (client, asked) = (outgoing::client(), routes.len());
    let answers = stream::iter(routes).map(|route| ask(&client, route)).buffer_unordered(MAX_CONCURRENT);
    let wrong: Vec<_> = answers.filter_map(async |answer| answer).collect().await;
    let mut checks = vec![if wrong.is_empty() {
        Check::ok("routes", format!("{asked} answer"))
    } else {
        Check::fail("routes", format!("{}: see the functions' logs, and deploy again", some(&wrong)))
    }];
    if stack.output(EVENTS_URL).is_none() {
        checks.push(Check::fail("streams", format!("the stack has no output {EVENTS_URL}")));
    }
    checks
}

/// Every route, with and without a slash at its end.
fn routes(paths: &Value, api_url: &str, events_url: Option<&str>) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        let base = if path == EVENTS_PATH { events_url } else { Some(api_url) };
        let Some(base) = base.map(|base| base.trim_end_matches('/')) else { continue };
        for (method, operation) in item.as_object().into_iter().flatten() {
            let documented = operation["responses"].as_object().into_iter().flatten();
            let documented: Vec<u16> = documented.filter_map(|(status, _)| status.parse().ok()).collect();
            let is_open = operation["security"] == json!([{}]);
            // The root has one spelling only.
            let slashes = if path == "/" { &[""][..] } else { &["", "/"] };
            for slash in slashes {
                let (path, method) = (format!("{path}{slash}"), method.to_uppercase());
                let url = format!("{base}{}", without_names(&path));
                routes.push(Route { method, path, url, documented: documented.clone(), is_open });
            }
        }
    }
    routes
}

fn without_names(path: &str) -> String {
    let segments = path.split('/').map(|segment| match segment {
        "{file}" => FILE,
        name if name.starts_with('{') => NOBODY,
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The problem with a route; `None` if there is none.
async fn ask(client: &HttpClient, route: Route) -> Option<String> {
    let Route { method, path, url, documented, is_open } = route;
    let is_right = |status| is_refusal(status) || (is_open && status == StatusCode::OK);
    let answer = match request(client, &method, &url, &[]).await {
        Ok((status, _)) if is_right(status) && documented.contains(&status.as_u16()) => return None,
        Ok((StatusCode::NOT_FOUND, _)) => "404, is missing".to_owned(),
        Ok((StatusCode::FORBIDDEN, _)) => "403, is not let through".to_owned(),
        Ok((status, _)) => status.as_u16().to_string(),
        Err(error) => error,
    };
    Some(format!("{method} {path} {answer}"))
}

/// Whether a request is refused because something is missing.
fn is_refusal(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_REQUEST
            | StatusCode::UNAUTHORIZED
            | StatusCode::NOT_ACCEPTABLE
            | StatusCode::UNSUPPORTED_MEDIA_TYPE
    )
}
