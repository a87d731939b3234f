//! Answers to requests that no route takes: unknown paths, and methods that a path does not serve.

use axum::{
    extract::{FromRequestParts, Request},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};

use super::RouteTable;
use crate::{
    App,
    auth::{ApiClient, ApiTokenManager, Backend, Operator, Organiser, Scheme},
    dialect::{Api, events, openvidu},
    error::Error,
};

/// Answers in the dialect of the API that the path belongs to. Missing credentials are refused before a wrong method.
pub async fn fallback(table: RouteTable, app: App, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    let api = Api::of(parts.uri.path());
    let endpoint = table.at(parts.uri.path());
    let error = match endpoint {
        // The method is served, but by another process.
        Some(endpoint) if endpoint.takes(&parts.method) => Error::RouteNotFound,
        Some(endpoint) => Error::MethodNotAllowed { method: parts.method.clone(), allow: endpoint.allow.clone() },
        None => Error::RouteNotFound,
    };
    let is_options = parts.method == Method::OPTIONS;
    match (api, &error) {
        // OPTIONS is answered without credentials, on any path.
        (Api::Streams, _) if is_options => return StatusCode::NO_CONTENT.into_response(),
        (Api::Conversation, Error::MethodNotAllowed { .. }) if is_options => return StatusCode::OK.into_response(),
        _ => {}
    }
    let refused = match (api, &error) {
        (Api::OpenVidu, _) if openvidu::is_guarded(parts.uri.path()) => refusal::<Backend>(&mut parts, &app).await,
        (Api::Streams, _) => refusal::<Operator>(&mut parts, &app).await,
        (Api::Events, Error::MethodNotAllowed { .. }) => {
            let schemes = endpoint.map(|endpoint| &*endpoint.schemes).unwrap_or_default();
            refusal_of_organisers_or_clients(schemes, &mut parts, &app).await
        }
        (Api::OpenVidu | Api::Device | Api::Events | Api::Conversation, _) => None,
    };
    match refused {
        Some(refused) => refused,
        None if openvidu::is_recording(parts.uri.path()) => {
            openvidu::Error::NoRecordings { posted: parts.method == Method::POST }.into_response()
        }
        None => api.refuse(error),
    }
}

/// The answer to a caller who is not a `C`.
async fn refusal<C: FromRequestParts<App>>(parts: &mut Parts, app: &App) -> Option<Response> {
    C::from_request_parts(parts, app).await.err().map(IntoResponse::into_response)
}

/// The answer to a caller whom an endpoint of session management with these schemes refuses.
async fn refusal_of_organisers_or_clients(schemes: &[Scheme], parts: &mut Parts, app: &App) -> Option<Response> {
    if schemes.contains(&Scheme::ApiToken) {
        refusal::<ApiClient>(parts, app).await
    } else if !schemes.contains(&Scheme::Jwt) {
        None
    } else if parts.uri.path().starts_with(events::API_TOKENS) {
        // A role without permission is refused before a wrong method.
        refusal::<ApiTokenManager>(parts, app).await
    } else {
        refusal::<Organiser>(parts, app).await
    }
}
