//! `POST /api/v2/token-auth/*`: logging in (`events-api.md`).
//!
//! Requests to the table on a warm instance: 2 to obtain a token, for the user and their password; 1 to refresh one.

use axum::{Json, extract::State};
use serde::Serialize;
use shared::{
    App,
    auth::UserClaims,
    config::Setting,
    dialect::events::{BodyRefusals, Error, Faults, FieldErrors, Problem, Unauthenticated},
    http::form::{Form, Need, Payload, given_password, text},
    model::User,
    password,
};
use utoipa::ToSchema;

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

/// Where what is wrong with all of a request stands; elsewhere in this API the name is another.
const GENERAL: &str = "non_field_errors";
/// Longest token that is looked at, in characters.
const TOKEN_MAX: usize = 10_000;

shared::routes!(obtain, refresh);

/// Who wants to log in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
#[schema(as = UserCredentials)]
struct Credentials {
    /// Without regard to case.
    #[schema(pattern = r"\S", example = "alice")]
    username: String,
    /// Their password.
    #[schema(format = "password", min_length = 1, example = "correct horse")]
    password: String,
}

/// A token, good for 7 days.
#[derive(Serialize, ToSchema)]
struct UserToken {
    /// What to show as `Authorization: JWT`.
    #[schema(example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
}

/// Log in.
#[utoipa::path(
    post,
    path = "/api/v2/token-auth/obtain",
    operation_id = "obtainToken",
    tag = "Session management",
    request_body = Credentials,
    responses(
        (status = 200, description = "A token", body = UserToken),
        BodyRefusals,
        Faults,
    ),
    security(()),
)]
async fn obtain(State(app): State<App>, payload: Payload) -> Result<Json<UserToken>, Error> {
    let mut form = payload.form_saying(GENERAL, Need::All)?;
    let (username, given) = (form.required("username", text(usize::MAX)), form.required("password", given_password));
    form.finish()?;
    // Both are there where nothing is wrong with the form.
    let (username, given) = (username.unwrap_or_default(), given.unwrap_or_default());
    let user = app.store.user_named(&username).await?;
    // For a user who is not there too: the time an answer takes must not tell.
    let hash = app.store.password_hash(user.as_ref().map_or(0, |user| user.id)).await?;
    let right = password::verify(given, hash).await?;
    match user.filter(|_| right) {
        None => Err(refuse(&Problem::WrongCredentials)),
        Some(user) if user.blocked => Err(refuse(&Problem::Blocked)),
        Some(user) => token(&app, &UserClaims::first(&user, app.clock.now())),
    }
}

/// A token that is still good.
#[derive(Serialize, ToSchema)]
struct PresentToken {
    /// The token.
    #[schema(pattern = r"\S", example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
}

/// Replace a token by one that lives longer.
#[utoipa::path(
    post,
    path = "/api/v2/token-auth/refresh",
    operation_id = "refreshToken",
    tag = "Session management",
    request_body = PresentToken,
    responses(
        (status = 200, description = "The next token", body = UserToken),
        BodyRefusals,
        Faults,
    ),
    security(()),
)]
async fn refresh(State(app): State<App>, payload: Payload) -> Result<Json<UserToken>, Error> {
    let present = present_token(payload.form_saying(GENERAL, Need::All)?)?;
    let now = app.clock.now();
    let claims = app.keys.verify_user(&present, now).map_err(|reason| match reason {
        Unauthenticated::Expired => refuse(&Problem::TokenExpired),
        _ => refuse(&Problem::TokenUndecodable),
    })?;
    let user = app.store.record::<User>(claims.user_id).await?.map(|stored| stored.record);
    let user = user.ok_or_else(|| refuse(&Problem::TokenUserGone))?;
    if user.blocked {
        return Err(refuse(&Problem::Blocked));
    }
    token(&app, &claims.next(&user, now).ok_or_else(|| refuse(&Problem::RefreshExpired))?)
}

fn present_token(mut form: Form) -> Result<String, Error> {
    let token = form.required("token", text(TOKEN_MAX));
    form.finish()?;
    Ok(token.unwrap_or_default())
}

fn refuse(problem: &Problem) -> Error {
    FieldErrors::one(GENERAL, problem).into()
}

fn token(app: &App, claims: &UserClaims) -> Result<Json<UserToken>, Error> {
    app.keys.sign_user(claims).map(|token| Json(UserToken { token })).ok_or(Error::Fault)
}
