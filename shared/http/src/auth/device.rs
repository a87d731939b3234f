//! Devices: `Bearer` with the token of a session (`docs/apis/device-sessions.md`).

use axum::{extract::FromRequestParts, http::request::Parts};
use greenroom_core::{
    id::{DeviceId, DeviceSessionId},
    model::{self, DeviceSession},
};

use super::{Authorization, Caller, DeviceClaims, Scheme, Schemes};
use crate::{App, dialect::device, error::Unauthenticated};

/// A token that Greenroom signed and that has not expired. A refresh also takes one that was replaced.
#[derive(Debug)]
pub struct DeviceToken(pub DeviceClaims);

impl Caller for DeviceToken {
    const SCHEMES: Schemes = &[Some(Scheme::DeviceToken)];
}

impl FromRequestParts<App> for DeviceToken {
    type Rejection = device::Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let token = Authorization::token(&parts.headers, "bearer").ok_or(Unauthenticated::Missing)?;
        let claims = app.keys.verify(token, app.clock.now());
        Ok(Self(claims.ok_or(Unauthenticated::Wrong)?))
    }
}

/// A device with a live session, authenticated by its present token. Costs one request to the table.
#[derive(Debug)]
pub struct Device {
    /// The device.
    pub id: DeviceId,
    /// The id of the token's session.
    pub session_id: DeviceSessionId,
    /// The token's session, as it lies in the table.
    pub session: DeviceSession,
    /// The device with all its sessions.
    pub device: model::Device,
}

impl Caller for Device {
    const SCHEMES: Schemes = DeviceToken::SCHEMES;
}

impl FromRequestParts<App> for Device {
    type Rejection = device::Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let DeviceToken(claims) = DeviceToken::from_request_parts(parts, app).await?;
        let device = app.store.device(&claims.sub).await?.ok_or(Unauthenticated::Wrong)?;
        let session = device.session(&claims.session, claims.generation, app.clock.now());
        let session = session.cloned().ok_or(Unauthenticated::Wrong)?;
        Ok(Self { id: claims.sub, session_id: claims.session, session, device })
    }
}
