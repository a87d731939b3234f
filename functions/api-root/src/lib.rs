//! Where things are: `GET /api/v2` says it of its endpoints (`docs/apis/events-api.md`), `GET /` of everything;
//! `GET /health` says whether the table answers.

mod home;

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

use home::{__path_health, __path_home, health, home};

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

shared::routes!(api_root, home, health);

/// The endpoints' URLs.
#[derive(Serialize, ToSchema)]
struct Endpoints {
    /// Of booking e-mails.
    #[schema(example = "https://greenroom.example/api/v2/bookingemails/")]
    bookingemails: String,
    /// Of events.
    #[schema(example = "https://greenroom.example/api/v2/events/")]
    events: String,
    /// Of login tokens.
    #[schema(example = "https://greenroom.example/api/v2/logintokens/")]
    logintokens: String,
    /// Of network tests.
    #[schema(example = "https://greenroom.example/api/v2/networktestsessions/")]
    networktestsessions: String,
    /// Of joining.
    #[schema(example = "https://greenroom.example/api/v2/rtcsessions/")]
    rtcsessions: String,
    /// Of sessions.
    #[schema(example = "https://greenroom.example/api/v2/sessions/")]
    sessions: String,
    /// Of users.
    #[schema(example = "https://greenroom.example/api/v2/users/")]
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
