//! Answers to requests that no route takes: unknown paths, and methods that a path does not serve.

use axum::{
    extract::{FromRequestParts, Request},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use greenroom_core::model::permission::Action;

use super::RouteTable;
use crate::{
    App,
    auth::{ApiClient, Backend, Operator, Organiser, Participant},
    dialect::{Api, events, openvidu},
    error::Error,
};

/// Answers in the dialect of the API that the path belongs to. Missing credentials are refused before a wrong method.
pub async fn fallback(table: RouteTable, app: App, request: Request) -> Response {
    let api = Api::of(request.uri().path());
    let error = match table.allow(request.uri().path()) {
        // The method is served, but by another process.
        Some(allow) if allow.split(", ").any(|served| request.method() == served) => Error::RouteNotFound,
        Some(allow) => Error::MethodNotAllowed { method: request.method().clone(), allow },
        None => Error::RouteNotFound,
    };
    let mut parts = request.into_parts().0;
    let is_recording = openvidu::is_recording(parts.uri.path());
    match (api, error) {
        (Api::OpenVidu, error) => match Backend::from_request_parts(&mut parts, &app).await {
            Ok(_) if is_recording => {
                openvidu::Error::NoRecordings { posted: parts.method == Method::POST }.into_response()
            }
            Ok(_) => api.refuse(error),
            Err(refused) => refused.into_response(),
        },
        // OPTIONS is answered without credentials, on any path.
        (Api::Streams, _) if parts.method == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        (Api::Streams, error) => match Operator::from_request_parts(&mut parts, &app).await {
            Ok(_) => api.refuse(error),
            Err(refused) => refused.into_response(),
        },
        (Api::Events, error @ Error::MethodNotAllowed { .. }) => match identify(&mut parts, &app).await {
            Ok(()) => api.refuse(error),
            Err(refused) => refused.into_response(),
        },
        (Api::Conversation, Error::MethodNotAllowed { .. }) if parts.method == Method::OPTIONS => {
            StatusCode::OK.into_response()
        }
        (Api::Device | Api::Events | Api::Conversation, error) => api.refuse(error),
    }
}

/// Checks the credentials that an endpoint of `/api/v2` asks for.
async fn identify(parts: &mut Parts, app: &App) -> Result<(), events::Error> {
    if parts.uri.path().starts_with(events::WEBHOOKS) {
        return Ok(());
    }
    let path = parts.uri.path().strip_prefix(events::ROOT).unwrap_or_default();
    let mut segments = path.split('/').skip(1);
    match segments.next() {
        Some("token-auth") if segments.next() != Some("revoke") => Ok(()),
        Some("rtcsessions") => Participant::from_request_parts(parts, app).await.map(drop),
        Some("networktestsessions" | "networktestsession" | "bookingemails") => {
            ApiClient::from_request_parts(parts, app).await.map(drop)
        }
        Some("apitokens") => {
            let Organiser(caller) = Organiser::from_request_parts(parts, app).await?;
            // A role without permission is refused before a wrong method.
            if caller.may(Action::ManageApiTokens) { Ok(()) } else { Err(events::Error::Forbidden) }
        }
        _ => Organiser::from_request_parts(parts, app).await.map(drop),
    }
}
