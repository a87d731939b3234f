//! `/api/v2/logintokens`: the texts that participants type in to join an event (`docs/apis/events-api.md`).

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{
        Event, LoginToken, User,
        entity::Entity,
        login_token::{LoginTokenFields, TokenType},
    },
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing,
    auth::Organiser,
    dialect::events::{BodyRefusals, Error, NotFound, Problem, Refusals},
    error,
    form::{Form, Need, NewPart, Payload},
};
use greenroom_store::{Selection, Stored, Unique};

type NewLoginToken = NewPart<LoginToken>;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[Setting::TableName, Setting::SigningKeys, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(
    list_login_tokens,
    create_login_token,
    get_login_token,
    put_login_token,
    patch_login_token,
    delete_login_token,
);

/// List the login tokens of the events that the caller can see.
#[utoipa::path(
    get,
    path = "/api/v2/logintokens",
    operation_id = "listLoginTokens",
    tag = "Session management",
    params(ListQuery<LoginToken>),
    responses((status = 200, description = "A page of login tokens", body = Envelope<LoginToken>), Refusals),
)]
async fn list_login_tokens(
    State(app): State<App>,
    Organiser(caller): Organiser,
    query: ListQuery<LoginToken>,
) -> Result<Listing<LoginToken>, Error> {
    let mut filters = query.filters();
    let selection = if let Some(id) = filters.get("id") {
        app.store.only_part_seen_by(&caller, id.parse().unwrap_or(0)).await?
    } else if let Some(token) = filters.get("token") {
        let found = app.store.record_with::<LoginToken>(Unique::LoginToken, token).await?;
        Selection::only(seen(&app, &caller, found).await?.into_iter().collect())
    } else if let Some(event) = filters.take("event") {
        app.store.parts_of(&caller, event.parse().unwrap_or(0)).await?
    } else {
        app.store.parts_seen_by(&caller).await?
    };
    query.read(&app, selection, &filters).await
}

/// The login token that was found, if the caller may see its event.
async fn seen(app: &App, caller: &User, found: Option<Stored<LoginToken>>) -> Result<Option<LoginToken>, Error> {
    let Some(found) = found else { return Ok(None) };
    let event = app.store.record::<Event>(found.record.event).await?;
    let seen = event.is_some_and(|event| caller.sees_event(&event.record));
    Ok(seen.then_some(found.record))
}

/// Make a login token.
#[utoipa::path(
    post,
    path = "/api/v2/logintokens",
    operation_id = "createLoginToken",
    tag = "Session management",
    request_body = NewLoginToken,
    responses((status = 201, description = "The login token", body = LoginToken), Refusals, BodyRefusals),
)]
async fn create_login_token(
    State(app): State<App>,
    Organiser(caller): Organiser,
    payload: Payload,
) -> Result<(StatusCode, Json<LoginToken>), Error> {
    let mut form = payload.form(Need::All)?;
    let NewLoginToken { event, fields } = NewLoginToken::read(&app, &caller, &mut form).await?;
    check(&fields, &app, None, form).await?;
    // Without an event the form was refused.
    let event = event.ok_or(error::Error::Fault)?.id;
    let id = app.store.new_id::<LoginToken>().await?;
    let blank = LoginToken { id, event, token: String::new(), token_type: TokenType::Participant };
    let token = blank.with(&fields);
    app.store.insert_in_event(&token).await??;
    Ok((StatusCode::CREATED, Json(token)))
}

/// Read a login token.
#[utoipa::path(
    get,
    path = "/api/v2/logintokens/{id}",
    operation_id = "getLoginToken",
    tag = "Session management",
    params(("id" = u64, Path, description = "The login token", example = 7)),
    responses((status = 200, description = "The login token", body = LoginToken), Refusals, NotFound),
)]
async fn get_login_token(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
) -> Result<Json<LoginToken>, Error> {
    Ok(Json(find(&app, &caller, id).await?.record))
}

/// Change a login token.
#[utoipa::path(
    put,
    path = "/api/v2/logintokens/{id}",
    operation_id = "putLoginToken",
    tag = "Session management",
    params(("id" = u64, Path, description = "The login token", example = 7)),
    request_body = LoginTokenFields,
    responses((status = 200, description = "The login token", body = LoginToken), Refusals, NotFound, BodyRefusals),
)]
async fn put_login_token(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<LoginToken>, Error> {
    change(&app, &caller, id, payload, Need::All).await
}

/// Change some of a login token's fields.
#[utoipa::path(
    patch,
    path = "/api/v2/logintokens/{id}",
    operation_id = "patchLoginToken",
    tag = "Session management",
    params(("id" = u64, Path, description = "The login token", example = 7)),
    request_body = LoginTokenFields,
    responses((status = 200, description = "The login token", body = LoginToken), Refusals, NotFound, BodyRefusals),
)]
async fn patch_login_token(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<LoginToken>, Error> {
    change(&app, &caller, id, payload, Need::Some).await
}

/// Delete a login token.
///
/// After that, nobody can join an event with it.
#[utoipa::path(
    delete,
    path = "/api/v2/logintokens/{id}",
    operation_id = "deleteLoginToken",
    tag = "Session management",
    params(("id" = u64, Path, description = "The login token", example = 7)),
    responses((status = 204, description = "The login token is gone"), Refusals, NotFound),
)]
async fn delete_login_token(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
) -> Result<StatusCode, Error> {
    let token = find(&app, &caller, id).await?;
    app.store.remove_record(token).await??;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(app: &App, caller: &User, id: u64, payload: Payload, need: Need) -> Result<Json<LoginToken>, Error> {
    let token = find(app, caller, id).await?;
    let mut form = payload.form(need)?;
    let fields = LoginToken::read(&mut form);
    check(&fields, app, Some(&token.record), form).await?;
    Ok(Json(app.store.change_in_event(token, |token| Ok::<_, Error>(token.with(&fields))).await?))
}

/// The login token, if the caller may see its event.
async fn find(app: &App, caller: &User, id: u64) -> Result<Stored<LoginToken>, Error> {
    let found = app.store.part_seen_by(caller, id).await?;
    found.map(|(token, _)| token).ok_or(Error::NotFound)
}

/// Checks the fields of a new login token, or of a change of `of`.
async fn check(fields: &LoginTokenFields, app: &App, of: Option<&LoginToken>, mut form: Form) -> Result<(), Error> {
    // If there are other problems, this one is reported with them. Otherwise the write itself would report it.
    if let Some(token) = &fields.token
        && !form.is_fine()
        && let Some(other) = app.store.record_with::<LoginToken>(Unique::LoginToken, token).await?
        && of.is_none_or(|token| token.id != other.record.id)
    {
        form.refuse("token", &Problem::LoginTokenTaken);
    }
    form.finish()
}
