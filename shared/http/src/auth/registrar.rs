//! Callers that may register a device: anybody, or only callers with a static API token
//! (`docs/apis/device-sessions.md`).

use axum::{extract::FromRequestParts, http::request::Parts};
use greenroom_core::{config::DeviceRegistration, model::api_token::ApiTokenHash};

use super::Authorization;
use crate::{App, dialect::device, error::Unauthenticated};

/// A caller that may register a device.
#[derive(Clone, Copy, Debug)]
pub struct Registrar(());

impl FromRequestParts<App> for Registrar {
    type Rejection = device::Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        if app.config.device_registration == DeviceRegistration::Open {
            return Ok(Self(()));
        }
        let token = ["bearer", "token"].iter().find_map(|scheme| Authorization::token(&parts.headers, scheme));
        let token = token.ok_or(Unauthenticated::Missing)?;
        let known = app.store.api_token(&ApiTokenHash::of(token)).await?;
        known.map(|_| Self(())).ok_or(Unauthenticated::Wrong.into())
    }
}
