//! `GET /` leads a visitor of this address on to the documentation. `GET /health` says whether the table answers.

use std::convert::Infallible;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use greenroom_http::{App, asks_for, auth::Anyone, base_url, dialect::device, prefix};
use greenroom_store::{Store, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

/// The page needs nothing but its own style.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The addresses to start from.
#[derive(Serialize, ToSchema)]
pub(crate) struct Home {
    /// The URL of the documentation, for people.
    #[schema(example = "https://greenroom.example/docs")]
    documentation: String,
    /// The URL of the OpenAPI document, for programs.
    #[schema(example = "https://greenroom.example/openapi.json")]
    specification: String,
    /// The URL that says whether the database table answers.
    #[schema(example = "https://greenroom.example/health")]
    health: String,
}

/// A visitor, with what the answer depends on.
pub(crate) struct Visitor {
    base: String,
    prefix: String,
    is_browser: bool,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let is_browser = asks_for(&parts.headers, "text/html");
        Ok(Self { base: base_url(parts, app), prefix: prefix(parts).to_owned(), is_browser })
    }
}

/// The answer to a visitor.
pub(crate) enum Welcome {
    /// A page with links at this prefix.
    Page(String),
    /// The same links for programs.
    Links(Home),
}

impl IntoResponse for Welcome {
    fn into_response(self) -> Response {
        let vary = [(header::VARY, "accept")];
        match self {
            Self::Links(home) => (vary, Json(home)).into_response(),
            Self::Page(prefix) => {
                let page = include_str!("home.html").replace("{prefix}", &prefix);
                (vary, [(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page)).into_response()
            }
        }
    }
}

/// List the addresses to start from.
///
/// A browser gets a page with links to them.
#[utoipa::path(
    get,
    path = "/",
    operation_id = "home",
    tag = "Specification",
    responses((
        status = 200,
        description = "The addresses to start from",
        content(
            (Home = "application/json"),
            (String = "text/html", example = json!("<!doctype html>…")),
        ),
    )),
)]
pub(crate) async fn home(_: Anyone, Visitor { base, prefix, is_browser }: Visitor) -> Welcome {
    if is_browser {
        return Welcome::Page(prefix);
    }
    Welcome::Links(Home {
        documentation: format!("{base}/docs"),
        specification: format!("{base}/openapi.json"),
        health: format!("{base}/health"),
    })
}

/// The answer if all is well.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Check whether the database table answers.
///
/// This is for load balancers and monitoring. Each check reads one item of the table.
#[utoipa::path(
    get,
    path = "/health",
    operation_id = "health",
    tag = "Health",
    responses(
        (status = 200, description = "The database table answers", body = Health),
        (
            status = 500,
            description = "An internal error",
            body = device::Body,
            example = json!({"error": {"code": "internal", "message": "Something went wrong on our side"}}),
        ),
        (
            status = 503,
            description = "The database table does not answer",
            body = device::Body,
            headers(("Retry-After" = u64, description = "The number of seconds after which to try again")),
            example = json!({"error": {"code": "unavailable", "message": "The service is busy; try again"}}),
        ),
    ),
)]
pub(crate) async fn health(State(store): State<Store>, _: Anyone) -> Result<Json<Health>, device::Error> {
    // A table that refuses requests serves nobody either, and may be put right from outside.
    store.prime().await.map_err(|cause| StoreError::Unavailable(cause.to_string()))?;
    Ok(Json(Health { status: "ok" }))
}
