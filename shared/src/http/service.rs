//! The layers around the routes; Lambda and the local gateway both run this.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::Response,
};
use tokio::time::timeout;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, normalize_path::NormalizePath};
use tracing::{Instrument, info_span};

use super::{RouteTable, fallback, outcome};
use crate::{
    App,
    dialect::{Api, openvidu},
    error::Error,
    id::RequestId,
    store::StoreError,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// What a stream of events is gone on with.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How long a request may take until its answer begins. A function is given a little longer, so that it is we who answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

/// The routes as a service. `table` knows every path and method, so that what no route answers is answered in its
/// API's dialect.
pub fn service(routes: Router<App>, table: RouteTable, app: &App) -> Router {
    let unrouted = {
        let table = table.clone();
        move |State(app): State<App>, request: Request| {
            let answer = fallback(table.clone(), app, request);
            async { outcome::unrouted(answer.await) }
        }
    };
    let noted = middleware::from_fn_with_state(app.clone(), note_uses);
    // What falls back used a credential for nothing; a function without routes cannot have the layer.
    let routes = if routes.has_routes() { routes.route_layer(noted) } else { routes };
    let routes = routes
        .fallback(unrouted.clone())
        .method_not_allowed_fallback(unrouted)
        .layer(middleware::from_fn(outcome::note_route))
        .with_state(app.clone());
    Router::new()
        .fallback_service(NormalizePath::trim_trailing_slash(routes))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(bound))
        .layer(cors(app))
        .layer(middleware::from_fn_with_state((table, app.clone()), turn_away))
        .layer(middleware::from_fn_with_state(app.clone(), openvidu::report))
        .layer(middleware::from_fn_with_state(app.clone(), outcome::report))
        .layer(middleware::from_fn(identify))
}

/// Marks an answer that is the same for everybody, and may be kept for five minutes.
#[derive(Clone, Copy, Debug)]
pub struct ForEverybody;

/// Preflights are answered without credentials; an origin that is not configured is allowed nothing.
fn cors(app: &App) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(app.config.cors_origins.clone())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, LAST_EVENT_ID])
        .expose_headers([REQUEST_ID, header::LINK])
}

/// Gives the request its id, which the answer carries too. A caller's own is not taken: it could say anything.
async fn identify(mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::random);
    let (span, value) = (info_span!("request", id = id.0), HeaderValue::try_from(&id.0));
    request.extensions_mut().insert(id);
    let mut response = next.run(request).instrument(span).await;
    let (status, is_for_everybody) = (response.status(), response.extensions().get::<ForEverybody>().is_some());
    let headers = response.headers_mut();
    headers.extend(value.ok().map(|value| (REQUEST_ID, value)));
    // What is asked for with credentials, and may be a token, is nobody else's.
    let kept = if is_for_everybody { "public, max-age=300" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    if status != StatusCode::METHOD_NOT_ALLOWED {
        // axum adds the methods that this process serves, also to a refusal that comes before the method.
        headers.remove(header::ALLOW);
    }
    response
}

/// Writes down which values of the credentials were used, hardly ever.
async fn note_uses(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.uses.write_down(&app.store, app.clock.now()).await;
    response
}

/// Answers what others would answer for us: axum a HEAD with the route of the GET, the CORS layer every OPTIONS, a
/// preflight or not. API Gateway sends neither of them to a route.
async fn turn_away(State((table, app)): State<(RouteTable, App)>, request: Request, next: Next) -> Response {
    if !is_for_a_route(&request) {
        return fallback(table, app, request).await;
    }
    let is_preflight_of_streams = *request.method() == Method::OPTIONS && Api::of(request.uri().path()) == Api::Streams;
    let mut response = next.run(request).await;
    if is_preflight_of_streams {
        // The contract's status, of every OPTIONS there.
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

fn is_for_a_route(request: &Request) -> bool {
    let has = |name: HeaderName| request.headers().contains_key(name);
    match *request.method() {
        Method::HEAD => false,
        Method::OPTIONS => has(header::ORIGIN),
        _ => true,
    }
}

/// Bounds the time a request takes, and gives a panic an answer, each in the dialect of the request's API.
async fn bound(request: Request, next: Next) -> Response {
    let api = Api::of(request.uri().path());
    let response = timeout(REQUEST_TIMEOUT, next.run(request)).await;
    match response {
        Ok(response) if response.extensions().get::<Panicked>().is_none() => response,
        Ok(_) => api.panicked(),
        Err(_) => api.refuse(Error::Store(StoreError::Contended)),
    }
}

/// Marks the answer of a handler that panicked.
#[derive(Clone)]
struct Panicked;

/// What was panicked with may quote the request, so it is not logged.
fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    tracing::error!("a handler panicked");
    let mut response = Response::default();
    response.extensions_mut().insert(Panicked);
    response
}
