//! `/api/v2/users`: the people who manage events (`docs/apis/events-api.md`).

mod fields;
mod password;

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    model::{User, permission::Action, user::UserFields},
};
use greenroom_http::{
    App, Envelope, Id, ListQuery, Listing, Shown,
    auth::Organiser,
    dialect::events::{BodyRefusals, Error, FieldErrors, Forbidden, NotFound, Refusals},
    form::{Need, Payload},
};
use greenroom_media::{
    audit::{self, Decision, Party},
    jobs,
};
use greenroom_store::{Parent, Selection, Store, Stored, Unique};

use password::{__path_password_change, __path_password_set, password_change, password_set};

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::XmppDomain, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(
    list_users,
    create_user,
    get_user,
    put_user,
    patch_user,
    delete_user,
    password_change,
    password_set,
    block_user,
    unblock_user,
);

/// List the users that the caller can see.
#[utoipa::path(
    get,
    path = "/api/v2/users",
    operation_id = "listUsers",
    tag = "Session management",
    params(ListQuery<User>),
    responses((status = 200, description = "A page of users", body = Envelope<User>), Refusals),
)]
async fn list_users(
    State(app): State<App>,
    Organiser(caller): Organiser,
    query: ListQuery<User>,
) -> Result<Listing<Shown<User>>, Error> {
    let mut filters = query.filters();
    let mut selection = Store::users_seen_by(&caller);
    if let Some(id) = filters.get("id") {
        let found = app.store.record::<User>(id.parse().unwrap_or(0)).await?;
        selection = Selection::only(seen(&caller, found).into_iter().map(|stored| stored.record).collect());
    } else if let Some(username) = filters.get("username") {
        let found = app.store.record_with::<User>(Unique::Username, &User::folded(username)).await?;
        selection = Selection::only(seen(&caller, found).into_iter().map(|stored| stored.record).collect());
    } else if caller.may_reassign()
        && let Some(creator) = filters.take("creator")
    {
        selection = Selection::of(creator.parse().ok().map(Parent::User));
    }
    Ok(query.read(&app, selection, &filters).await?.map(Shown))
}

/// Make a user.
///
/// The user can log in once they have a password.
#[utoipa::path(
    post,
    path = "/api/v2/users",
    operation_id = "createUser",
    tag = "Session management",
    request_body = UserFields,
    responses((status = 201, description = "The user", body = User), Refusals, Forbidden, BodyRefusals),
)]
async fn create_user(
    State(app): State<App>,
    Organiser(caller): Organiser,
    payload: Payload,
) -> Result<(StatusCode, Json<Shown<User>>), Error> {
    if !caller.may(Action::CreateUser) {
        return Err(Error::Forbidden);
    }
    let given = fields::read(&app, &caller, None, payload.form(Need::All)?).await?;
    let user = fields::make(&given, app.store.new_id::<User>().await?, &caller);
    app.store.insert_record(&user).await??;
    Ok((StatusCode::CREATED, Json(Shown(user))))
}

/// Read a user.
#[utoipa::path(
    get,
    path = "/api/v2/users/{id}",
    operation_id = "getUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    responses((status = 200, description = "The user", body = User), Refusals, NotFound),
)]
async fn get_user(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
) -> Result<Json<Shown<User>>, Error> {
    Ok(Json(Shown(find(&app, &caller, id).await?.record)))
}

/// Change a user.
///
/// Optional fields that the request leaves out keep their values.
#[utoipa::path(
    put,
    path = "/api/v2/users/{id}",
    operation_id = "putUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = UserFields,
    responses((status = 200, description = "The user", body = User), Refusals, Forbidden, NotFound, BodyRefusals),
)]
async fn put_user(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<Shown<User>>, Error> {
    change(&app, &caller, id, payload, Need::All).await
}

/// Change some of a user's fields.
#[utoipa::path(
    patch,
    path = "/api/v2/users/{id}",
    operation_id = "patchUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    request_body = UserFields,
    responses((status = 200, description = "The user", body = User), Refusals, Forbidden, NotFound, BodyRefusals),
)]
async fn patch_user(
    State(app): State<App>,
    Organiser(caller): Organiser,
    Id(id): Id,
    payload: Payload,
) -> Result<Json<Shown<User>>, Error> {
    change(&app, &caller, id, payload, Need::Some).await
}

/// Delete a user.
///
/// A user who owns events cannot be deleted. The deleted user leaves the events that they manage and the rooms that
/// they are in. The users whom they made no longer have a creator. If this is much work, Greenroom finishes it after it
/// has answered.
#[utoipa::path(
    delete,
    path = "/api/v2/users/{id}",
    operation_id = "deleteUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    responses(
        (status = 204, description = "The user is gone"),
        (status = 400, description = "The user still owns events", body = FieldErrors, example = json!({ "nonFieldErrors": ["This user still owns events."] })),
        Refusals, Forbidden, NotFound,
    ),
)]
async fn delete_user(State(app): State<App>, Organiser(caller): Organiser, Id(id): Id) -> Result<StatusCode, Error> {
    let user = find_for(&app, &caller, id, Action::DeleteUser).await?;
    let begun = app.store.remove_user(user, app.clock.now()).await??;
    jobs::go_on(&app.services, begun).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Block a user.
///
/// A blocked user cannot log in, and Greenroom refuses their tokens at once.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/block",
    operation_id = "blockUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    responses((status = 204, description = "The user is blocked"), Refusals, Forbidden, NotFound),
)]
async fn block_user(State(app): State<App>, Organiser(caller): Organiser, Id(id): Id) -> Result<StatusCode, Error> {
    set_blocked(&app, &caller, id, true).await
}

/// Let a blocked user log in again.
#[utoipa::path(
    post,
    path = "/api/v2/users/{id}/unblock",
    operation_id = "unblockUser",
    tag = "Session management",
    params(("id" = u64, Path, description = "The user", example = 7)),
    responses((status = 204, description = "The user is not blocked"), Refusals, Forbidden, NotFound),
)]
async fn unblock_user(State(app): State<App>, Organiser(caller): Organiser, Id(id): Id) -> Result<StatusCode, Error> {
    set_blocked(&app, &caller, id, false).await
}

async fn set_blocked(app: &App, caller: &User, id: u64, blocked: bool) -> Result<StatusCode, Error> {
    let user = find_for(app, caller, id, Action::BlockUser).await?;
    let change = |user: &User| {
        let allowed = caller.may_to_user(Action::BlockUser, user);
        let changed = || if blocked { user.block() } else { user.unblock() };
        allowed.then(changed).ok_or(Error::Forbidden)
    };
    let was_blocked = user.record.blocked;
    app.store.change_record(user, change).await?;
    if was_blocked != blocked {
        let event = if blocked { audit::Event::UserBlocked } else { audit::Event::UserUnblocked };
        Decision::new(event).by(Party::User(caller.id)).of(Party::User(id)).record(&app.services).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn change(app: &App, caller: &User, id: u64, payload: Payload, need: Need) -> Result<Json<Shown<User>>, Error> {
    let user = find_for(app, caller, id, Action::ChangeUser).await?;
    let given = fields::read(app, caller, Some(&user.record), payload.form(need)?).await?;
    let role = user.record.role;
    let change = |user: &User| fields::change(&given, user, caller);
    let (user, begun) = app.store.change_user(user, app.clock.now(), change).await?;
    if user.role != role {
        let decision = Decision::new(audit::Event::RoleChanged).by(Party::User(caller.id)).of(Party::User(id));
        decision.because(user.role.name()).record(&app.services).await;
    }
    for begun in begun {
        jobs::go_on(&app.services, begun).await;
    }
    Ok(Json(Shown(user)))
}

/// The user, if the caller may see them.
async fn find(app: &App, caller: &User, id: u64) -> Result<Stored<User>, Error> {
    seen(caller, app.store.record(id).await?).ok_or(Error::NotFound)
}

/// The user, if the caller may see them and do this to them.
async fn find_for(app: &App, caller: &User, id: u64, action: Action) -> Result<Stored<User>, Error> {
    let user = find(app, caller, id).await?;
    if caller.may_to_user(action, &user.record) { Ok(user) } else { Err(Error::Forbidden) }
}

fn seen(caller: &User, user: Option<Stored<User>>) -> Option<Stored<User>> {
    user.filter(|user| caller.sees_user(&user.record))
}
