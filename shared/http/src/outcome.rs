//! The outcome of a request: its line in the log and its metrics.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
    response::Response,
};
use greenroom_core::{id::RequestId, model::guesses::SourceAddress};
use greenroom_telemetry::{
    meter::{Meter, Origin, Usage},
    metrics::{FALLBACK, Line},
};
use tokio::time::Instant;

use crate::App;

/// What was reported of a request. The response carries it as an extension.
#[derive(Clone, Debug, Default)]
pub struct Reported {
    /// The route that it took, like `GET /api/session`.
    pub route: String,
    /// Its use of the table.
    pub usage: Usage,
}

/// The path of the route that a request took, as the route declares it.
#[derive(Clone, Default)]
struct Route(Arc<OnceLock<MatchedPath>>);

/// Marks the answer to a request that no route takes.
#[derive(Clone)]
struct Unrouted;

/// Marks an answer as one to a request that no route takes.
pub(super) fn unrouted(mut response: Response) -> Response {
    response.extensions_mut().insert(Unrouted);
    response
}

/// Notes the route that a request took.
pub(super) fn note_route(request: &Request) {
    if let (Some(Route(route)), Some(path)) = (request.extensions().get(), request.extensions().get::<MatchedPath>()) {
        // It is set only here.
        let _ = route.set(path.clone());
    }
}

/// Reports the outcome of a request under its route. The path itself would carry identifiers.
pub(super) async fn report<F: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let (route, method) = (Route::default(), request.method().clone());
    let id = request.extensions().get::<RequestId>().cloned();
    request.extensions_mut().insert(route.clone());
    let source = request.extensions().get().copied().unwrap_or(SourceAddress(None));
    let (meter, start) = (Meter::new(Origin { id, source }), Instant::now());
    let mut response = meter.clone().scope(next(request)).await;
    let routed = response.extensions_mut().remove::<Unrouted>().is_none();
    let route = name(&method, route.0.get().filter(|_| routed));
    let (status, usage) = (response.status(), meter.usage());
    response.extensions_mut().insert(Reported { route: route.clone(), usage });
    meter.in_scope(|| log(app, Outcome { method, route, status, start, usage }));
    response
}

/// The name of a route in logs and metrics. All requests that no route takes have one name, because their method and
/// path are the caller's choice.
fn name(method: &Method, path: Option<&MatchedPath>) -> String {
    path.map_or_else(|| FALLBACK.to_owned(), |path| format!("{method} {}", path.as_str()))
}

struct Outcome {
    method: Method,
    route: String,
    status: StatusCode,
    start: Instant,
    usage: Usage,
}

/// Logs one line. If metrics are on, the line also carries them.
fn log(app: &App, outcome: Outcome) {
    let Outcome { method, route, status, start, usage } = outcome;
    let (status, latency) = (status.as_u16(), start.elapsed());
    let Some(metrics) = &app.config.metrics else {
        let Usage { read_units, write_units, requests, .. } = usage;
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        tracing::info!(%method, route, status, micros, read_units, write_units, table_requests = requests, "request");
        return;
    };
    let line = Line::of_request(route, status, latency, usage).after_start(app.take_init());
    line.print(metrics, app.clock.now());
}
