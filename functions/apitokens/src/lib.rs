//! `/api/v2/apitokens`: the static API tokens of clients (`docs/apis/events-api.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{
        ApiToken, User,
        api_token::{self, ApiTokenFields},
        entity::Entity,
    },
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing, Shown,
    auth::ApiTokenManager,
    dialect::events::{BodyRefusals, Error, FieldErrors, Forbidden, NotFound, Problem, Refusals},
    form::{Need, Payload},
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::NameTaken;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(list_api_tokens, create_api_token, delete_api_token);

/// A static API token with its value, which is shown only this once.
#[derive(Serialize, ToSchema)]
struct ShownToken {
    #[serde(flatten)]
    #[schema(value_type = ApiToken)]
    kept: Shown<ApiToken>,
    /// The value that clients send: 40 hexadecimal digits.
    #[schema(example = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b")]
    token: String,
}

/// List the static API tokens.
#[utoipa::path(
    get,
    path = "/api/v2/apitokens",
    operation_id = "listApiTokens",
    tag = "Session management",
    params(ListQuery<ApiToken>),
    responses((status = 200, description = "A page of tokens", body = Envelope<ApiToken>), Refusals, Forbidden),
)]
async fn list_api_tokens(
    State(app): State<App>,
    _: ApiTokenManager,
    query: ListQuery<ApiToken>,
) -> Result<Listing<Shown<ApiToken>>, Error> {
    let filters = query.filters();
    let tokens = app.store.api_tokens().await?.into_iter();
    let tokens: Vec<_> = tokens.filter(|token| filters.match_record(token)).collect();
    let count = tokens.len();
    let skip = match query.after(&app) {
        Some(after) => tokens.iter().filter(|token| token.id <= after).count(),
        None => usize::try_from(query.skip()).unwrap_or(usize::MAX),
    };
    let page: Vec<_> = tokens.into_iter().skip(skip).take(query.limit()).collect();
    let last = page.last().filter(|_| skip + page.len() < count).map(|token| token.id);
    Ok(query.page(&app, count as u64, page, last).map(Shown))
}

/// Make a static API token.
#[utoipa::path(
    post,
    path = "/api/v2/apitokens",
    operation_id = "createApiToken",
    tag = "Session management",
    request_body = ApiTokenFields,
    responses((status = 201, description = "The token; its value is shown in this answer only", body = ShownToken), Refusals, Forbidden, BodyRefusals),
)]
async fn create_api_token(
    State(app): State<App>,
    ApiTokenManager(caller): ApiTokenManager,
    payload: Payload,
) -> Result<(StatusCode, Json<ShownToken>), Error> {
    let mut form = payload.form(Need::All)?;
    let ApiTokenFields { name, mobile } = ApiToken::read(&mut form);
    form.finish()?;
    let (token, hash) = api_token::generate();
    let (name, mobile) = (name.unwrap_or_default(), mobile.unwrap_or(false));
    let kept = app.store.insert_api_token(&hash, &name, mobile, app.clock.now()).await?;
    let kept = kept.map_err(|NameTaken| FieldErrors::one("name", &Problem::ApiTokenNameTaken))?;
    noted(&app, Event::ApiTokenCreated, &caller, kept.id).await;
    Ok((StatusCode::CREATED, Json(ShownToken { kept: Shown(kept), token: token.expose_secret().to_owned() })))
}

/// Delete a static API token.
///
/// Greenroom refuses the token within 5 seconds.
#[utoipa::path(
    delete,
    path = "/api/v2/apitokens/{id}",
    operation_id = "deleteApiToken",
    tag = "Session management",
    params(("id" = u64, Path, description = "The token's number", example = 7)),
    responses((status = 204, description = "The token is gone"), Refusals, Forbidden, NotFound),
)]
async fn delete_api_token(
    State(app): State<App>,
    ApiTokenManager(caller): ApiTokenManager,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    if !app.store.delete_api_token(id).await? {
        return Err(Error::NotFound);
    }
    noted(&app, Event::ApiTokenDeleted, &caller, id).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn noted(app: &App, event: Event, caller: &User, token: u64) {
    Decision::new(event).by(Party::User(caller.id)).of(Party::ApiToken(token)).record(&app.services).await;
}
