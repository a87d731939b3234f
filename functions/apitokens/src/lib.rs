//! `/api/v2/apitokens`: the static API tokens of clients (`docs/apis/events-api.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{ApiToken, User, api_token},
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing,
    auth::ApiTokenManager,
    dialect::events::{BodyRefusals, Error, FieldErrors, Forbidden, NotFound, Problem, Refusals},
    form::{Need, Payload, boolean, text},
};
use greenroom_media::audit::{Decision, Event, Party};
use greenroom_store::NameTaken;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

/// The fields that tokens can be filtered by.
const FILTERS: &[&str] = &["id", "name", "mobile"];

greenroom_http::routes!(list_api_tokens, create_api_token, delete_api_token);

/// A static API token to be made.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewApiToken {
    /// The name that its admins give it.
    #[schema(max_length = 255, pattern = r"\S", example = "Stage displays")]
    name: String,
    /// Whether it belongs to a mobile client; false by default.
    #[schema(required = false, example = false)]
    mobile: bool,
}

/// A static API token without its value.
#[derive(Serialize, ToSchema)]
struct KeptToken {
    /// Counts from 1.
    #[schema(example = 1)]
    id: u64,
    /// The name that its admins gave it.
    #[schema(example = "Stage displays")]
    name: String,
    /// Whether it belongs to a mobile client.
    #[schema(example = false)]
    mobile: bool,
}

impl From<ApiToken> for KeptToken {
    fn from(token: ApiToken) -> Self {
        let ApiToken { id, name, mobile, created_at: _ } = token;
        Self { id, name, mobile }
    }
}

/// A static API token with its value, which is shown only this once.
#[derive(Serialize, ToSchema)]
struct ShownToken {
    #[serde(flatten)]
    kept: KeptToken,
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
    params(
        ("limit" = Option<u64>, Query, description = "Tokens on a page, 100 by default and 1,000 at most", example = 50),
        ("offset" = Option<u64>, Query, description = "The number of pages to skip", example = 0),
    ),
    responses((status = 200, description = "A page of tokens", body = Envelope<KeptToken>), Refusals, Forbidden),
)]
async fn list_api_tokens(
    State(app): State<App>,
    _: ApiTokenManager,
    query: ListQuery,
) -> Result<Listing<KeptToken>, Error> {
    let filters = query.filters(FILTERS);
    let tokens = app.store.api_tokens().await?.into_iter().map(KeptToken::from);
    let tokens: Vec<_> = tokens.filter(|token| filters.match_record(token)).collect();
    let count = tokens.len();
    let skip = match query.after(&app) {
        Some(after) => tokens.iter().filter(|token| token.id <= after).count(),
        None => usize::try_from(query.skip()).unwrap_or(usize::MAX),
    };
    let page: Vec<_> = tokens.into_iter().skip(skip).take(query.limit()).collect();
    let last = page.last().filter(|_| skip + page.len() < count).map(|token| token.id);
    Ok(query.page(&app, count as u64, page, last))
}

/// Make a static API token.
#[utoipa::path(
    post,
    path = "/api/v2/apitokens",
    operation_id = "createApiToken",
    tag = "Session management",
    request_body = NewApiToken,
    responses((status = 201, description = "The token; its value is shown in this answer only", body = ShownToken), Refusals, Forbidden, BodyRefusals),
)]
async fn create_api_token(
    State(app): State<App>,
    ApiTokenManager(caller): ApiTokenManager,
    payload: Payload,
) -> Result<(StatusCode, Json<ShownToken>), Error> {
    let mut form = payload.form(Need::All)?;
    let (name, mobile) = (form.required("name", text(255)), form.optional("mobile", boolean));
    form.finish()?;
    let (token, hash) = api_token::generate();
    let (name, mobile) = (name.unwrap_or_default(), mobile.unwrap_or(false));
    let kept = app.store.insert_api_token(&hash, &name, mobile, app.clock.now()).await?;
    let kept = kept.map_err(|NameTaken| FieldErrors::one("name", &Problem::ApiTokenNameTaken))?;
    let kept = KeptToken::from(kept);
    noted(&app, Event::ApiTokenCreated, &caller, kept.id).await;
    Ok((StatusCode::CREATED, Json(ShownToken { kept, token: token.expose_secret().to_owned() })))
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
