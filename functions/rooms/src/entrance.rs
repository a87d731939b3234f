//! Extractors of the caller and the room. A request for a room that does not exist is refused before its body is
//! checked.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use greenroom_core::{
    id::RoomId,
    model::{
        Room,
        room::{self, Change, Membership, Person, RoomRefusal},
    },
};
use greenroom_http::{
    App,
    auth::{Account, Caller, Schemes},
    conversation::{TakesJson, path_text},
    dialect::conversation::Error,
};
use greenroom_store::StoreError;

/// The account as a person in a room.
pub(crate) fn person(account: Account) -> Person {
    Person { jid: account.jid, user: Some(account.user) }
}

/// The id of the room that the path names. `None` if no room here can have it.
pub(crate) struct RoomName(pub(crate) Option<RoomId>);

impl FromRequestParts<App> for RoomName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let text = path_text(parts, app, "id").await;
        Ok(Self(text.and_then(|text| room::named(&text, &app.config.xmpp_domain))))
    }
}

/// A caller and an existing room, whether the caller is in it or not.
pub(crate) struct AtRoom {
    pub(crate) caller: Person,
    pub(crate) room: Room,
}

impl Caller for AtRoom {
    const SCHEMES: Schemes = Account::SCHEMES;
}

impl FromRequestParts<App> for AtRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (account, id) = asked_for(parts, app).await?;
        let room = app.store.room(&id).await?.ok_or(Error::NotFound)?;
        Ok(Self { caller: person(account), room })
    }
}

/// A caller at an existing room, with their membership if they are in it. The room itself, with all of its
/// participants, is read only for strangers.
pub(crate) struct AtDoor {
    pub(crate) account: Account,
    pub(crate) membership: Option<Membership>,
}

impl Caller for AtDoor {
    const SCHEMES: Schemes = Account::SCHEMES;
}

impl FromRequestParts<App> for AtDoor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (account, id) = asked_for(parts, app).await?;
        let membership = app.store.membership(&id, &account.jid, account.user).await?;
        if membership.is_none() && app.store.room(&id).await?.is_none() {
            return Err(Error::NotFound);
        }
        Ok(Self { account, membership })
    }
}

async fn asked_for(parts: &mut Parts, app: &App) -> Result<(Account, RoomId), Error> {
    let account = Account::from_request_parts(parts, app).await?;
    TakesJson::from_request_parts(parts, app).await?;
    let RoomName(name) = RoomName::from_request_parts(parts, app).await?;
    Ok((account, name.ok_or(Error::NotFound)?))
}

/// Applies a transition to a room.
pub(crate) async fn change(
    app: &App,
    room: Room,
    transition: impl Fn(&mut Room) -> Result<Change, RoomRefusal>,
) -> Result<StatusCode, Error> {
    Ok(try_change(app, room, transition).await??)
}

/// Applies a transition to a room. The transition may refuse.
pub(crate) async fn try_change(
    app: &App,
    room: Room,
    transition: impl Fn(&mut Room) -> Result<Change, RoomRefusal>,
) -> Result<Result<StatusCode, RoomRefusal>, StoreError> {
    let host = room::host(&app.config.xmpp_domain);
    let changed = app.store.change_room(room, &app.clock, &host, transition).await?;
    Ok(changed.map(|()| StatusCode::NO_CONTENT))
}
