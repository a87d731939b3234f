//! Whom a request is from, and which room it is for: who asks for a room that there is not is told so before anything
//! about the body.

use axum::{
    extract::FromRequestParts,
    http::{StatusCode, request::Parts},
};
use shared::{
    App,
    auth::Account,
    dialect::conversation::Error,
    http::conversation::{TakesJson, path_text},
    id::RoomId,
    model::{
        Room,
        room::{self, Change, Membership, Person, Refusal},
    },
    store::StoreError,
};

/// An account as somebody in a room.
pub(crate) fn person(account: Account) -> Person {
    Person { jid: account.jid, user: Some(account.user) }
}

/// The id that the path names a room by; `None` where no room of ours can have it.
pub(crate) struct RoomName(pub(crate) Option<RoomId>);

impl FromRequestParts<App> for RoomName {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let text = path_text(parts, app, "id").await;
        Ok(Self(text.and_then(|text| room::named(&text, &app.config.xmpp_domain))))
    }
}

/// A caller at a room that there is, in it or not.
pub(crate) struct AtRoom {
    pub(crate) caller: Person,
    pub(crate) room: Room,
}

impl FromRequestParts<App> for AtRoom {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let (account, id) = asked_for(parts, app).await?;
        let room = app.store.room(&id).await?.ok_or(Error::NotFound)?;
        Ok(Self { caller: person(account), room })
    }
}

/// A caller at a room that there is, with their membership where they are in it. However many are in the room, it is
/// not read unless a stranger asks.
pub(crate) struct AtDoor {
    pub(crate) account: Account,
    pub(crate) membership: Option<Membership>,
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

/// Runs a transition on a room.
pub(crate) async fn change(
    app: &App,
    room: Room,
    transition: impl Fn(&mut Room) -> Result<Change, Refusal>,
) -> Result<StatusCode, Error> {
    Ok(try_change(app, room, transition).await??)
}

/// Runs a transition on a room, which may refuse it.
pub(crate) async fn try_change(
    app: &App,
    room: Room,
    transition: impl Fn(&mut Room) -> Result<Change, Refusal>,
) -> Result<Result<StatusCode, Refusal>, StoreError> {
    let host = room::host(&app.config.xmpp_domain);
    let changed = app.store.change_room(room, &app.clock, &host, transition).await?;
    Ok(changed.map(|()| StatusCode::NO_CONTENT))
}
