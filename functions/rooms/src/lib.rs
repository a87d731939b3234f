//! `/api/rooms`: rooms, their participants and their messages (`docs/apis/mongooseim.md`, MUC Light).

mod entrance;
mod members;
mod messages;

use axum::{Json, extract::State, http::StatusCode};
use greenroom_core::{
    config::Setting,
    id::RoomId,
    model::{
        Jid, Room,
        room::{Participant, RoomConfig, RoomRole, TEXT_MAX},
    },
};
use greenroom_http::{
    App,
    auth::Account,
    conversation::{BodyFields, Payload, TakesJson},
    dialect::conversation::{BodyRefusals, Error, Forbidden, NotFound, Problem, Refusals},
};
use greenroom_store::{RoomSign, Store};
use serde::Serialize;
use utoipa::ToSchema;

use entrance::{AtRoom, RoomName, person};
use members::{__path_invite_user, __path_remove_user, invite_user, remove_user};
use messages::{__path_list_room_messages, __path_send_room_message, list_room_messages, send_room_message};

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::XmppDomain, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(
    create_room,
    list_rooms,
    get_room,
    create_named_room,
    configure_room,
    invite_user,
    remove_user,
    send_room_message,
    list_room_messages,
);

/// The id of a room that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = CreatedRoom)]
struct Created {
    /// The room's id.
    id: RoomId,
}

/// A room in a list.
#[derive(Serialize, ToSchema)]
struct RoomSummary {
    /// Its id.
    id: RoomId,
    #[serde(flatten)]
    config: RoomConfig,
}

/// A room as its participants see it.
#[derive(Serialize, ToSchema)]
struct RoomDetails {
    #[serde(flatten)]
    config: RoomConfig,
    /// The participants, sorted by the local part of their JIDs, then by the domain.
    participants: Vec<ParticipantDetails>,
}

/// A participant of a room.
#[derive(Serialize, ToSchema)]
struct ParticipantDetails {
    /// Their JID.
    user: Jid,
    /// Their role.
    role: RoomRole,
}

impl From<&Participant> for ParticipantDetails {
    fn from(participant: &Participant) -> Self {
        Self { user: participant.person.jid.clone(), role: participant.role }
    }
}

/// The config in a body.
fn config(fields: &BodyFields) -> Result<RoomConfig, Error> {
    let text = |name, what| match fields.text(name, what)? {
        text if text.len() <= TEXT_MAX => Ok(text),
        _ => Err(Error::Invalid(Problem::TooLong(what))),
    };
    Ok(RoomConfig { name: text("name", "room name")?, subject: text("subject", "room subject")? })
}

/// Make a room.
#[utoipa::path(
    post,
    path = "/api/rooms",
    operation_id = "createRoom",
    tag = "Conversations",
    request_body = RoomConfig,
    responses((status = 200, description = "The room is made", body = Created), Refusals, BodyRefusals),
)]
async fn create_room(
    State(store): State<Store>,
    account: Account,
    _: TakesJson,
    payload: Payload,
) -> Result<Json<Created>, Error> {
    let room = Room::create(RoomId::random(), config(&payload.fields()?)?, person(account));
    // The id is random, so no room has it.
    store.insert_room(&room).await??;
    Ok(Json(Created { id: room.id }))
}

/// List the rooms that the caller is in, sorted by id.
#[utoipa::path(
    get,
    path = "/api/rooms",
    operation_id = "listRooms",
    tag = "Conversations",
    responses((status = 200, description = "The rooms", body = Vec<RoomSummary>), Refusals),
)]
async fn list_rooms(
    State(store): State<Store>,
    account: Account,
    _: TakesJson,
) -> Result<Json<Vec<RoomSummary>>, Error> {
    let memberships = store.memberships(&account.jid, account.user).await?;
    let signs = store.room_signs(&memberships).await?.into_iter();
    Ok(Json(signs.map(|RoomSign { id, config, .. }| RoomSummary { id, config }).collect()))
}

/// Read a room that the caller is in.
#[utoipa::path(
    get,
    path = "/api/rooms/{id}",
    operation_id = "getRoom",
    tag = "Conversations",
    params(("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21")),
    responses((status = 200, description = "The room", body = RoomDetails), Refusals, Forbidden, NotFound),
)]
async fn get_room(AtRoom { caller, room }: AtRoom) -> Result<Json<RoomDetails>, Error> {
    if room.role_of(&caller).is_none() {
        return Err(Error::Forbidden);
    }
    let participants = room.participants().iter().map(ParticipantDetails::from).collect();
    Ok(Json(RoomDetails { config: room.config, participants }))
}

/// Make a room with a chosen id.
#[utoipa::path(
    put,
    path = "/api/rooms/{id}",
    operation_id = "createNamedRoom",
    tag = "Conversations",
    params(("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21")),
    request_body = RoomConfig,
    responses((status = 201, description = "The room is made", body = Created), Refusals, Forbidden, BodyRefusals),
)]
async fn create_named_room(
    State(store): State<Store>,
    account: Account,
    _: TakesJson,
    RoomName(name): RoomName,
    payload: Payload,
) -> Result<(StatusCode, Json<Created>), Error> {
    let id = name.ok_or(Error::Invalid(Problem::NotARoomHere))?;
    let config = match payload.fields().and_then(|fields| config(&fields)) {
        Ok(config) => config,
        // An existing room is reported before problems of the body.
        Err(_) if store.room(&id).await?.is_some() => return Err(Error::Forbidden),
        Err(problem) => return Err(problem),
    };
    let room = Room::create(id, config, person(account));
    store.insert_room(&room).await??;
    Ok((StatusCode::CREATED, Json(Created { id: room.id })))
}

/// Change a room's name and subject.
#[utoipa::path(
    put,
    path = "/api/rooms/{id}/config",
    operation_id = "configureRoom",
    tag = "Conversations",
    params(("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21")),
    request_body = RoomConfig,
    responses((status = 204, description = "The room is changed"), Refusals, Forbidden, NotFound, BodyRefusals),
)]
async fn configure_room(
    State(app): State<App>,
    AtRoom { caller, room }: AtRoom,
    payload: Payload,
) -> Result<StatusCode, Error> {
    room.owned_by(&caller)?;
    let config = config(&payload.fields()?)?;
    entrance::change(&app, room, |room| room.configure(&caller, config.clone())).await
}
