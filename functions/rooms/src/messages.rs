//! The messages of rooms.

use axum::{Json, extract::State};
use greenroom_core::{
    id::{MessageId, RoomId},
    model::room::{RoomEntry, RoomEvent},
};
use greenroom_http::{
    conversation::{PageQuery, Payload},
    dialect::conversation::{BodyRefusals, Error, Forbidden, Invalid, NotFound, Refusals},
};
use greenroom_media::Services;
use greenroom_store::Store;
use serde::Serialize;
use utoipa::ToSchema;

use crate::entrance::AtDoor;

/// A message to a room.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
pub(crate) struct NewRoomMessage {
    /// Any text, of at most 65,536 bytes.
    #[schema(max_length = 65_536, example = "Hello everybody!")]
    body: String,
}

/// The id of a message that was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SentRoomMessage)]
pub(crate) struct Said {
    /// Its id.
    id: MessageId,
}

/// Send a message to a room that the caller is in.
#[utoipa::path(
    post,
    path = "/api/rooms/{id}/messages",
    operation_id = "sendRoomMessage",
    tag = "Conversations",
    params(("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21")),
    request_body = NewRoomMessage,
    responses((status = 200, description = "The message is sent", body = Said), Refusals, Forbidden, NotFound, BodyRefusals),
)]
pub(crate) async fn send_room_message(
    State(services): State<Services>,
    AtDoor { account, membership }: AtDoor,
    payload: Payload,
) -> Result<Json<Said>, Error> {
    let membership = membership.ok_or(Error::Forbidden)?;
    let body = payload.fields()?.message_body()?;
    let event = RoomEvent::Message { from: account.jid.clone(), body };
    let entry = RoomEntry::new(event, services.clock.now());
    match services.store.insert_room_entry(&membership, &account.jid, entry, &services.clock).await? {
        Some(entry) => Ok(Json(Said { id: entry.id })),
        // The sender was removed in between, or the room ended, which means that its last participant left.
        None if services.store.room(&membership.room).await?.is_some() => Err(Error::Forbidden),
        None => Err(Error::NotFound),
    }
}

/// Read the newest entries of a room's archive.
///
/// The caller has to be in the room. The answer lists the oldest of these entries first.
#[utoipa::path(
    get,
    path = "/api/rooms/{id}/messages",
    operation_id = "listRoomMessages",
    tag = "Conversations",
    params(
        ("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21"),
        ("limit" = Option<u64>, Query, minimum = 0, maximum = 2_147_483_647_u64, description = "The number of entries, 50 by default and 500 at most", example = 50),
        ("before" = Option<u64>, Query, minimum = 0, maximum = 4_102_444_800_000_u64, description = "Only entries from before this time, in milliseconds since the Unix epoch", example = 1_795_344_000_000_u64),
    ),
    responses((status = 200, description = "The entries", body = Vec<RoomEntry>), Refusals, Invalid, Forbidden, NotFound),
)]
pub(crate) async fn list_room_messages(
    State(store): State<Store>,
    AtDoor { membership, .. }: AtDoor,
    query: PageQuery,
) -> Result<Json<Vec<RoomEntry>>, Error> {
    let membership = membership.ok_or(Error::Forbidden)?;
    Ok(Json(store.room_entries(&membership.archive, query.window()?).await?))
}
