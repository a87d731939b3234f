//! Taking participants into rooms and removing them.

use axum::{
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
};
use greenroom_core::{
    id::RoomId,
    model::{
        Jid,
        room::{Person, RoomRefusal},
    },
};
use greenroom_http::{
    App,
    conversation::{Payload, path_text},
    dialect::conversation::{BodyRefusals, Error, Forbidden, NotFound, Refusals},
};
use greenroom_store::StoreError;
use utoipa::ToSchema;

use crate::entrance::{self, AtRoom};

/// How often the user of a JID may change during an invitation.
const RENAMED: usize = 3;

/// A person to invite.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
pub(crate) struct Invitee {
    /// Their JID.
    user: Jid,
}

/// Add a participant to a room.
#[utoipa::path(
    post,
    path = "/api/rooms/{id}/users",
    operation_id = "inviteUser",
    tag = "Conversations",
    params(("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21")),
    request_body = Invitee,
    responses((status = 204, description = "The user is in the room"), Refusals, Forbidden, NotFound, BodyRefusals),
)]
pub(crate) async fn invite_user(
    State(app): State<App>,
    AtRoom { caller, room }: AtRoom,
    payload: Payload,
) -> Result<StatusCode, Error> {
    room.owned_by(&caller)?;
    let jid = payload.fields()?.jid("user", "user")?;
    for _ in 0..RENAMED {
        let invitee = Person { user: app.account_of(&jid).await?, jid: jid.clone() };
        match entrance::try_change(&app, room.clone(), |room| room.invite(&caller, invitee.clone())).await? {
            // The user was deleted or renamed in between.
            Err(RoomRefusal::NoAccount) => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(StoreError::Contended.into())
}

/// Remove a participant from a room.
///
/// The owner may remove anybody, a member only themselves. If the owner leaves, the first of the other participants
/// becomes the owner. If the last participant leaves, the room ends.
#[utoipa::path(
    delete,
    path = "/api/rooms/{id}/users/{user}",
    operation_id = "removeUser",
    tag = "Conversations",
    params(
        ("id" = RoomId, Path, description = "The room, by its id or its JID", example = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21"),
        ("user" = Jid, Path, description = "The participant", example = "bob@localhost"),
    ),
    responses((status = 204, description = "The user is not in the room"), Refusals, Forbidden, NotFound),
)]
pub(crate) async fn remove_user(
    State(app): State<App>,
    AtRoom { caller, room }: AtRoom,
    Removed(jid): Removed,
) -> Result<StatusCode, Error> {
    let Some(jid) = jid else {
        // A caller who may not remove anybody is refused first.
        room.owned_by(&caller)?;
        return Err(Error::NotFound);
    };
    entrance::change(&app, room, |room| room.remove(&caller, &jid)).await
}

/// The participant that the path names.
pub(crate) struct Removed(Option<Jid>);

impl FromRequestParts<App> for Removed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Ok(Self(path_text(parts, app, "user").await.as_deref().and_then(Jid::parse)))
    }
}
