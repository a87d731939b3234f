//! The layers around the routes. Lambda and the local gateway both run them.

use std::{convert::Infallible, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use futures_util::FutureExt;
use greenroom_core::id::RequestId;
use tokio::time::timeout;
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::{
    cors::{AllowCredentials, AllowHeaders, CorsLayer},
    normalize_path::NormalizePath,
};

use super::{RouteTable, fallback, outcome};
use crate::{
    App,
    dialect::{Api, openvidu},
    error::Error,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes as a service. `table` knows every path and method, so a request that no route takes is answered in its
/// API's dialect.
///
/// The layers are functions that call each other, and no layers of axum: those would be copied for each request, each
/// with all that is below it.
pub fn service(routes: Router<App>, table: RouteTable, app: &App) -> Router {
    let unrouted = {
        let table = table.clone();
        move |State(app): State<App>, request: Request| {
            let answer = Box::pin(fallback(table.clone(), app, request));
            async { outcome::unrouted(answer.await) }
        }
    };
    let noted = middleware::from_fn_with_state(app.clone(), note);
    // A request that falls back used no credential. A function without routes cannot have the layer.
    let routes = if routes.has_routes() { routes.route_layer(noted) } else { routes };
    let routes = routes.fallback(unrouted.clone()).method_not_allowed_fallback(unrouted).with_state(app.clone());
    let routes = NormalizePath::trim_trailing_slash(routes);
    let limit = app.config.timing.answer;
    let bounded = cors(app).layer(service_fn(move |request| {
        let routes = routes.clone();
        async move { Ok::<_, Infallible>(bound(routes, request, limit).await) }
    }));
    let edge = Arc::new((app.clone(), table));
    Router::new().fallback_service(service_fn(move |request| {
        let (edge, bounded) = (edge.clone(), bounded.clone());
        async move { Ok::<_, Infallible>(Box::pin(answer(&edge.0, &edge.1, bounded, request)).await) }
    }))
}

/// Runs all layers of a request, from the outside to the routes.
async fn answer<S>(app: &App, table: &RouteTable, bounded: S, request: Request) -> Response
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let routed = |request| async move {
        let Ok(response) = bounded.oneshot(request).await;
        response
    };
    let turned = |request| turn_away(app, table, request, routed);
    let written = |request| openvidu::report(app, request, turned);
    let reported = |request| outcome::report(app, request, written);
    identify(app, request, reported).await
}

/// Marks an answer that is the same for everybody. Caches may keep it for five minutes.
#[derive(Clone, Copy, Debug)]
pub struct ForEverybody;

/// The CORS layer. It answers preflights without credentials, and allows nothing to an origin that is not configured.
///
/// A configured origin may send any headers that it asks for, and credentials. Pages of today's libraries add headers
/// of their own, and some send every request with credentials.
fn cors(app: &App) -> CorsLayer {
    let origins = app.config.cors_origins.clone();
    let listed = AllowCredentials::predicate({
        let origins = origins.clone();
        move |origin, _| origins.contains(origin)
    });
    CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .allow_credentials(listed)
        .expose_headers([REQUEST_ID, header::LINK, header::RETRY_AFTER])
}

/// Gives the request an id. The answer carries it, with the headers that every answer has for browsers
/// (`docs/apis/access.md`). An id that the caller sends is ignored, because it could say anything.
async fn identify<F: Future<Output = Response>>(
    app: &App,
    mut request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::random);
    let value = HeaderValue::try_from(&id.0);
    request.extensions_mut().insert(id);
    let mut response = next(request).await;
    let (status, is_for_everybody) = (response.status(), response.extensions().get::<ForEverybody>().is_some());
    let headers = response.headers_mut();
    headers.extend(value.ok().map(|value| (REQUEST_ID, value)));
    // Answers to requests with credentials belong to their caller, and may be tokens.
    let kept = if is_for_everybody { "public, max-age=300" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if app.config.public_url.as_ref().is_some_and(|url| url.starts_with("https://")) {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    if status != StatusCode::METHOD_NOT_ALLOWED {
        // axum adds the methods that this process serves, even to a refusal that comes before the method.
        headers.remove(header::ALLOW);
    }
    response
}

/// Notes the route that a request took. Writes down which values of the credentials were used, at most once an hour for
/// each.
async fn note(State(app): State<App>, request: Request, next: Next) -> Response {
    outcome::note_route(&request);
    let response = next.run(request).await;
    app.last_used.write_down(&app.store, app.clock.now()).await;
    response
}

/// Answers OPTIONS itself, and HEAD where no route takes it. axum would answer a HEAD with the route of the GET, and the
/// CORS layer every OPTIONS, a preflight or not. API Gateway sends neither of them to such a route.
async fn turn_away<F: Future<Output = Response>>(
    app: &App,
    table: &RouteTable,
    request: Request,
    next: impl FnOnce(Request) -> F,
) -> Response {
    if !is_for_a_route(table, &request) {
        // It is rare, and every request would otherwise have and copy a future as large as this one.
        return Box::pin(fallback(table.clone(), app.clone(), request)).await;
    }
    let is_preflight_of_streams = *request.method() == Method::OPTIONS && Api::of(request.uri().path()) == Api::Streams;
    let mut response = next(request).await;
    if is_preflight_of_streams {
        // The contract has this status for every OPTIONS there.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn is_for_a_route(table: &RouteTable, request: &Request) -> bool {
    let has = |name: HeaderName| request.headers().contains_key(name);
    match *request.method() {
        Method::HEAD => table.at(request.uri().path()).is_some_and(|endpoint| endpoint.takes(&Method::HEAD)),
        Method::OPTIONS => has(header::ORIGIN),
        _ => true,
    }
}

/// Limits the time until an answer begins, and answers for a handler that panicked, each in the dialect of the request's API.
async fn bound<S>(routes: S, request: Request, limit: Duration) -> Response
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    let api = Api::of(request.uri().path());
    let response = AssertUnwindSafe(async { routes.oneshot(request).await }).catch_unwind();
    match timeout(limit, response).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Err(_)) => {
            // The panic's message may quote the request, so it is not logged.
            tracing::error!("a handler panicked");
            api.refuse(Error::Fault)
        }
        Err(_) => api.refuse(Error::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use axum::{body::Body, routing::get};
    use tracing_subscriber::fmt;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_takes_too_long_is_logged_as_that_and_not_as_a_fault_of_the_store() {
        let log = Log::default();
        let writer = log.clone();
        let _guard = tracing::subscriber::set_default(fmt().with_writer(move || writer.clone()).finish());
        for path in ["/api/session", "/api/tokens", "/api/v2", "/api/messages", "/v1/admission"] {
            let routes = Router::new().route(path, get(std::future::pending::<()>));
            let request = Request::builder().uri(path).body(Body::empty()).unwrap();
            let answer = bound(routes, request, Duration::from_millis(1)).await;
            assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{path}");
            assert_eq!(answer.headers()[header::RETRY_AFTER], "1", "{path}");
            let said = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
            assert!(said.contains("did not begin in time") && !said.contains("store"), "{path}: {said}");
        }
    }
}
