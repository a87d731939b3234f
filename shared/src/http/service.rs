//! The layers around the routes; Lambda and the local gateway both run this.

use std::time::Instant;

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer, normalize_path::NormalizePath};

use super::{RouteTable, fallback};
use crate::{App, dialect::openvidu, id::RequestId};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The routes as a service. `table` knows every path and method, so that what no route answers is answered in its
/// API's dialect.
pub fn service(routes: Router<App>, table: RouteTable, app: &App) -> Router {
    let unrouted = move |State(app): State<App>, request: Request| fallback(table.clone(), app, request);
    let routes = routes
        .fallback(unrouted.clone())
        .method_not_allowed_fallback(unrouted)
        .layer(middleware::from_fn(log))
        .with_state(app.clone());
    let service = Router::new()
        .fallback_service(NormalizePath::trim_trailing_slash(routes))
        .layer(CatchPanicLayer::custom(|_| openvidu::Error::Panicked.into_response()))
        .layer(middleware::from_fn_with_state(app.clone(), openvidu::report));
    service.layer(cors(app)).layer(middleware::from_fn(identify))
}

/// Preflights are answered without credentials; an origin that is not configured is allowed nothing.
fn cors(app: &App) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(app.config.cors_origins.clone())
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers([REQUEST_ID])
}

/// Gives the request its id, which the answer carries too. A caller's own is not taken: it could say anything.
async fn identify(mut request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned().unwrap_or_else(RequestId::random);
    let value = HeaderValue::try_from(&id.0);
    request.extensions_mut().insert(id);
    let mut response = next.run(request).await;
    if let Ok(value) = value {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        // axum adds the methods that this process serves, also to a refusal that comes before the method.
        response.headers_mut().remove(header::ALLOW);
    }
    response
}

/// Logs the outcome of a request by its route: a path would carry identifiers.
async fn log(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let start = Instant::now();
    let response = next.run(request).await;
    tracing::info!(
        request_id = id.map(|id| id.0),
        %method,
        route = route.as_ref().map(MatchedPath::as_str),
        status = response.status().as_u16(),
        micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        "request"
    );
    response
}
