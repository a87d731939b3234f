//! `POST /api/v2/token-auth/*`: logging in (`docs/apis/events-api.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{User, guesses::SourceAddress},
};
use greenroom_http::{
    App,
    auth::{Anyone, Claim, LoggedIn, Tried, UserClaims},
    dialect::events::{BodyRefusals, Error, Faults, FieldErrors, Problem, Refusals, Throttled, Unauthenticated},
    error,
    form::{Form, Need, Payload, given_password, text},
};
use greenroom_media::Services;
use greenroom_media::audit::{Decision, Event, Party};
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

/// The field for problems of the whole request. Elsewhere in this API it has another name.
const GENERAL: &str = "non_field_errors";
/// The longest token that is accepted, in characters.
const TOKEN_MAX: usize = 10_000;

greenroom_http::routes!(obtain, refresh, revoke);

/// A user's credentials.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
#[schema(as = UserCredentials)]
struct Credentials {
    /// The user's name, without regard to case.
    #[schema(pattern = r"\S", example = "alice")]
    username: String,
    /// The user's password.
    #[schema(format = "password", min_length = 1, example = "correct horse")]
    password: String,
}

/// A token, valid for 7 days.
#[derive(Serialize, ToSchema)]
struct UserToken {
    /// The value to send as `Authorization: JWT`.
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
        Throttled,
        Faults,
    ),
)]
async fn obtain(
    State(app): State<App>,
    _: Anyone,
    source: SourceAddress,
    payload: Payload,
) -> Result<Json<UserToken>, Error> {
    let mut form = payload.form_saying(GENERAL, Need::All)?;
    let (username, given) = (form.required("username", text(usize::MAX)), form.required("password", given_password));
    form.finish()?;
    // Both are there, because the form had no errors.
    let (username, given) = (username.unwrap_or_default(), given.unwrap_or_default());
    let user = app.store.user_named(&username).await?;
    let Tried { right, .. } = app.try_password(Claim::of(user.as_ref(), &username, source), given).await?;
    let target = user.as_ref().map_or(Party::Account(&username), |user| Party::User(user.id));
    match (&user, right) {
        (None, _) => refused(&app, target, "unknown_account", &Problem::WrongCredentials).await,
        (Some(_), false) => refused(&app, target, "wrong_password", &Problem::WrongCredentials).await,
        (Some(user), true) if user.blocked => refused(&app, target, "blocked", &Problem::Blocked).await,
        (Some(user), true) => let_in(&app, &UserClaims::first(user, app.clock.now()), "password").await,
    }
}

/// A valid token.
#[derive(Serialize, ToSchema)]
struct PresentToken {
    /// The token.
    #[schema(pattern = r"\S", example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl")]
    token: String,
}

/// Replace a token by one that expires later.
#[utoipa::path(
    post,
    path = "/api/v2/token-auth/refresh",
    operation_id = "refreshToken",
    tag = "Session management",
    request_body = PresentToken,
    responses(
        (status = 200, description = "The new token", body = UserToken),
        BodyRefusals,
        Faults,
    ),
)]
async fn refresh(State(app): State<App>, _: Anyone, payload: Payload) -> Result<Json<UserToken>, Error> {
    let present = present_token(payload.form_saying(GENERAL, Need::All)?)?;
    let now = app.clock.now();
    // A caller without a valid token of ours is nobody about whom a decision could be logged.
    let claims = app.keys.verify_user(&present, now).map_err(|reason| match reason {
        Unauthenticated::Expired => refuse(&Problem::TokenExpired),
        _ => refuse(&Problem::TokenUndecodable),
    })?;
    let target = Party::User(claims.user_id);
    let Some(user) = app.store.record::<User>(claims.user_id).await?.map(|stored| stored.record) else {
        return refused(&app, target, "unknown_account", &Problem::TokenUserGone).await;
    };
    if user.blocked {
        return refused(&app, target, "blocked", &Problem::Blocked).await;
    }
    if !claims.is_of_epoch(&user) {
        return refused(&app, target, "logged_out", &Problem::TokenExpired).await;
    }
    match claims.next(&user, now) {
        Some(next) => let_in(&app, &next, "refresh").await,
        None => refused(&app, target, "refresh_expired", &Problem::RefreshExpired).await,
    }
}

/// Log out everywhere.
///
/// All tokens from the caller's earlier logins become invalid (`docs/apis/access.md`).
#[utoipa::path(
    post,
    path = "/api/v2/token-auth/revoke",
    operation_id = "revokeTokens",
    tag = "Session management",
    responses((status = 204, description = "All tokens of the caller are now invalid"), Refusals),
)]
async fn revoke(State(services): State<Services>, LoggedIn(user): LoggedIn) -> Result<StatusCode, Error> {
    let user = services.store.change_record(user, |user| Ok::<_, Error>(user.logged_out())).await?;
    let user = Party::User(user.id);
    Decision::new(Event::TokenRevoked).by(user).of(user).because("everywhere").record(&services).await;
    Ok(StatusCode::NO_CONTENT)
}

fn present_token(mut form: Form) -> Result<String, Error> {
    let token = form.required("token", text(TOKEN_MAX));
    form.finish()?;
    Ok(token.unwrap_or_default())
}

fn refuse(problem: &Problem) -> Error {
    FieldErrors::one(GENERAL, problem).into()
}

async fn refused(
    app: &App,
    target: Party<'_>,
    reason: &'static str,
    problem: &Problem,
) -> Result<Json<UserToken>, Error> {
    Decision::new(Event::LoginRefused).of(target).because(reason).record(&app.services).await;
    Err(refuse(problem))
}

async fn let_in(app: &App, claims: &UserClaims, by: &'static str) -> Result<Json<UserToken>, Error> {
    let token = app.keys.sign_user(claims).ok_or(error::Error::Fault)?;
    let user = Party::User(claims.user_id);
    Decision::new(Event::Login).by(user).of(user).because(by).record(&app.services).await;
    Ok(Json(UserToken { token }))
}
