//! `GET /api/v2`: where the endpoints are (`events-api.md`).
//!
//! Requests to the table on a warm instance: 1, for the caller.

use axum::{Json, extract::FromRequestParts, http::request::Parts};
use serde::Serialize;
use shared::{
    App,
    auth::Organiser,
    config::Setting,
    dialect::events::{Error, ROOT, Refusals},
    http::base_url,
};
use utoipa::ToSchema;

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::PublicUrl, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

shared::routes!(api_root);

/// The endpoints' URLs.
#[derive(Serialize, ToSchema)]
struct Endpoints {
    bookingemails: String,
    events: String,
    logintokens: String,
    networktestsessions: String,
    rtcsessions: String,
    sessions: String,
    users: String,
}

/// Say where the endpoints are.
#[utoipa::path(
    get,
    path = "/api/v2",
    operation_id = "apiRoot",
    tag = "Session management",
    responses((status = 200, description = "The endpoints", body = Endpoints), Refusals),
    security(("jwt" = [])),
)]
async fn api_root(_: Organiser, Base(base): Base) -> Result<Json<Endpoints>, Error> {
    let url = |name: &str| format!("{base}{ROOT}/{name}/");
    Ok(Json(Endpoints {
        bookingemails: url("bookingemails"),
        events: url("events"),
        logintokens: url("logintokens"),
        networktestsessions: url("networktestsessions"),
        rtcsessions: url("rtcsessions"),
        sessions: url("sessions"),
        users: url("users"),
    }))
}

/// What this API is called from outside.
struct Base(String);

impl FromRequestParts<App> for Base {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(base_url(parts, app)))
    }
}
