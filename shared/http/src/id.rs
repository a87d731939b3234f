//! The number in a path of `/api/v2`.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};

use crate::{App, dialect::events::Error};

/// The number of the object that a path names. A text that is no such number is not found.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub u64);

impl FromRequestParts<App> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let params = RawPathParams::from_request_parts(parts, app).await.map_err(|_| Error::NotFound)?;
        let (_, id) = params.iter().next().ok_or(Error::NotFound)?;
        let digits = id.bytes().all(|byte| byte.is_ascii_digit());
        // No object has the number 0, so nothing is found for it.
        id.parse().ok().filter(|_| digits).map(Self).ok_or(Error::NotFound)
    }
}
