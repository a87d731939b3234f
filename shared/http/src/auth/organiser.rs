//! Organisers: `JWT` with the token of a login. Clients: `Token` with a static API token, or `Bearer` with a device's
//! token (`docs/apis/events-api.md`).

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use greenroom_core::model::{Device, User, api_token::ApiTokenHash, permission::Action};
use greenroom_store::Stored;

use super::{Authorization, Caller, DeviceClaims, Scheme, Schemes};
use crate::{
    App,
    dialect::events::{Challenge, Error, Unauthenticated},
};

/// A user with a valid token, as they are now. Costs one request to the table.
#[derive(Clone, Debug)]
pub struct Organiser(pub User);

impl Caller for Organiser {
    const SCHEMES: Schemes = &[Some(Scheme::Jwt)];
}

impl FromRequestParts<App> for Organiser {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        LoggedIn::from_request_parts(parts, app).await.map(|LoggedIn(stored)| Self(stored.record))
    }
}

/// An organiser whose role may manage static API tokens. Costs one request to the table.
#[derive(Clone, Debug)]
pub struct ApiTokenManager(pub User);

impl Caller for ApiTokenManager {
    const SCHEMES: Schemes = Organiser::SCHEMES;
}

impl FromRequestParts<App> for ApiTokenManager {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let Organiser(caller) = Organiser::from_request_parts(parts, app).await?;
        if caller.may(Action::ManageApiTokens) { Ok(Self(caller)) } else { Err(Error::Forbidden) }
    }
}

/// The same as [`Organiser`], with the stored version, for requests that change the user themselves.
#[derive(Clone, Debug)]
pub struct LoggedIn(pub Stored<User>);

impl Caller for LoggedIn {
    const SCHEMES: Schemes = Organiser::SCHEMES;
}

impl FromRequestParts<App> for LoggedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let refused = |reason| Error::Unauthenticated(Challenge::Jwt, reason);
        let token = credentials(&parts.headers, "jwt").map_err(refused)?;
        let claims = app.keys.verify_user(token, app.clock.now()).map_err(refused)?;
        let user = app.store.record::<User>(claims.user_id).await?;
        let user = user.ok_or_else(|| refused(Unauthenticated::UnknownUser))?;
        if user.record.blocked {
            return Err(refused(Unauthenticated::Blocked));
        }
        let current = claims.is_of_epoch(&user.record);
        current.then_some(Self(user)).ok_or_else(|| refused(Unauthenticated::Expired))
    }
}

/// A client with a static API token, or a device. Costs one request to the table.
#[derive(Clone, Copy, Debug)]
pub struct ApiClient(());

impl Caller for ApiClient {
    const SCHEMES: Schemes = &[Some(Scheme::ApiToken), Some(Scheme::DeviceToken)];
}

impl FromRequestParts<App> for ApiClient {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let refused = |reason| Error::Unauthenticated(Challenge::Token, reason);
        let known = match credentials(&parts.headers, "bearer") {
            Ok(token) => match app.keys.verify(token, app.clock.now()) {
                Some(claims) => present_device(&claims, app).await?.is_some(),
                None => false,
            },
            Err(Unauthenticated::Missing) => {
                let token = credentials(&parts.headers, "token").map_err(refused)?;
                app.store.api_token(&ApiTokenHash::of(token)).await?.is_some()
            }
            Err(reason) => return Err(refused(reason)),
        };
        known.then_some(Self(())).ok_or_else(|| refused(Unauthenticated::UnknownToken))
    }
}

/// A client with which participants join: one with a static API token, or a device, which is mobile.
#[derive(Clone, Copy, Debug)]
pub struct Participant {
    /// Whether it is a mobile client.
    pub mobile: bool,
}

impl Caller for Participant {
    const SCHEMES: Schemes = ApiClient::SCHEMES;
}

impl FromRequestParts<App> for Participant {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let refused = |reason| Error::Unauthenticated(Challenge::Token, reason);
        let mobile = match credentials(&parts.headers, "bearer") {
            Ok(token) => is_device(token, app).await?.then_some(true),
            Err(Unauthenticated::Missing) => {
                let hash = ApiTokenHash::of(credentials(&parts.headers, "token").map_err(refused)?);
                let known = app
                    .caches
                    .api_tokens
                    .get(&hash, app.clock.now(), async || app.store.api_token(&hash).await)
                    .await?;
                known.map(|token| token.mobile)
            }
            Err(reason) => return Err(refused(reason)),
        };
        mobile.map(|mobile| Self { mobile }).ok_or_else(|| refused(Unauthenticated::UnknownToken))
    }
}

/// Whether this is the present token of a device's live session.
async fn is_device(token: &str, app: &App) -> Result<bool, Error> {
    let now = app.clock.now();
    let Some(claims) = app.keys.verify(token, now) else { return Ok(false) };
    let lately = app.caches.devices.get(&claims.sub, now, async || app.store.device(&claims.sub).await).await?;
    if lately.is_some_and(|device| device.session(&claims.session, claims.generation, now).is_some()) {
        return Ok(true);
    }
    // The token may be newer than the remembered device.
    let present = present_device(&claims, app).await?;
    let is_good = present.is_some();
    if let Some(device) = present {
        app.caches.devices.put(claims.sub.clone(), now, Arc::new(device));
    }
    Ok(is_good)
}

/// The device whose live session has this present token; `None` if there is none.
async fn present_device(claims: &DeviceClaims, app: &App) -> Result<Option<Device>, Error> {
    let device = app.store.device(&claims.sub).await?;
    Ok(device.filter(|device| device.session(&claims.session, claims.generation, app.clock.now()).is_some()))
}

/// The single word behind the scheme.
///
/// # Errors
/// The reason why there is none.
pub fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Result<&'a str, Unauthenticated> {
    let credentials = Authorization::credentials(headers, scheme).ok_or(Unauthenticated::Missing)?;
    if credentials.is_empty() {
        return Err(Unauthenticated::Empty);
    }
    if credentials.iter().any(u8::is_ascii_whitespace) {
        return Err(Unauthenticated::Spaces);
    }
    // No token of Greenroom has other characters.
    Ok(str::from_utf8(credentials).unwrap_or_default())
}
