//! Addresses: `GET /api/v2` lists its endpoints (`docs/apis/events-api.md`), and `GET /` leads to the documentation.
//! `GET /health` says whether the table answers.

mod home;

use axum::{Json, extract::FromRequestParts, http::request::Parts};
use greenroom_core::config::Setting;
use greenroom_http::{
    App,
    auth::Organiser,
    base_url,
    dialect::events::{Error, ROOT, Refusals},
};
use serde::Serialize;
use utoipa::ToSchema;

use home::{__path_health, __path_home, health, home};

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(api_root, home, health);

/// The endpoints' URLs.
#[derive(Serialize, ToSchema)]
struct Endpoints {
    /// Booking e-mails.
    #[schema(example = "https://greenroom.example/api/v2/bookingemails/")]
    bookingemails: String,
    /// Events.
    #[schema(example = "https://greenroom.example/api/v2/events/")]
    events: String,
    /// Login tokens.
    #[schema(example = "https://greenroom.example/api/v2/logintokens/")]
    logintokens: String,
    /// Network tests.
    #[schema(example = "https://greenroom.example/api/v2/networktestsessions/")]
    networktestsessions: String,
    /// Joining an event.
    #[schema(example = "https://greenroom.example/api/v2/rtcsessions/")]
    rtcsessions: String,
    /// Sessions.
    #[schema(example = "https://greenroom.example/api/v2/sessions/")]
    sessions: String,
    /// Users.
    #[schema(example = "https://greenroom.example/api/v2/users/")]
    users: String,
}

/// List the URLs of the endpoints.
#[utoipa::path(
    get,
    path = "/api/v2",
    operation_id = "apiRoot",
    tag = "Session management",
    responses((status = 200, description = "The endpoints", body = Endpoints), Refusals),
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

/// The base of this API's URLs.
struct Base(String);

impl FromRequestParts<App> for Base {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        Ok(Self(base_url(parts, app)))
    }
}
