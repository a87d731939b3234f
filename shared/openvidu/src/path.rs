//! The session that a path names, and the connection in it.

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use greenroom_core::id::{ConnectionId, MediaSessionId};
use greenroom_http::{App, dialect::openvidu::Error};
use percent_encoding::percent_decode_str;

/// The session that the path names, and the connection in it. A text that cannot be an id names nothing.
#[derive(Debug)]
pub struct SessionPath {
    /// `{sessionId}`
    pub session: Option<MediaSessionId>,
    /// `{connectionId}`
    pub connection: Option<ConnectionId>,
}

impl FromRequestParts<App> for SessionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let Ok(params) = RawPathParams::from_request_parts(parts, app).await else {
            // A part of the path is not UTF-8, so it is no id. The answer depends on whether that part is the
            // session's.
            let behind = parts.uri.path().split_once("/api/sessions/").map(|(_, behind)| behind);
            let session = behind.and_then(|behind| {
                let segment = percent_decode_str(behind.split('/').next()?);
                MediaSessionId::parse(&segment.decode_utf8().ok()?)
            });
            return Ok(Self { session, connection: None });
        };
        let named = |name| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
        Ok(Self {
            session: named("sessionId").and_then(MediaSessionId::parse),
            connection: named("connectionId").and_then(ConnectionId::parse),
        })
    }
}
