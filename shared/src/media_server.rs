//! A real OvenMediaEngine: it is told which of its sessions we have ended (`docs/apis/ovenmediaengine.md`).

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Collected, Limited};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::{
    Services,
    config::StreamsApi,
    id::ConnectionName,
    model::live::Stream,
    outgoing::{self, HttpClient, root_cause, segment},
    store::Cut,
};

/// Longest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 << 10;

/// Why a media server did not do what it was told to. What it says is for logs: kinds and codes, nothing of what was
/// asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum MediaServerError {
    /// It could not be reached, or the connection ended before its answer did.
    #[error("the media server cannot be reached: {0}")]
    Unreachable(String),
    /// It does not know our token.
    #[error("the media server refused our credentials ({0})")]
    Credentials(u16),
    /// It answered with another status than was to be expected.
    #[error("the media server answered with status {0}")]
    Status(u16),
    /// There is no asking: the URL or the token that it takes cannot be used.
    #[error("the request to the media server cannot be made")]
    Request,
}

/// A client of its API.
pub struct MediaServer {
    url: String,
    authorization: Option<HeaderValue>,
    http: HttpClient,
}

impl fmt::Debug for MediaServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaServer")
    }
}

impl Services {
    /// The media server that terminations are passed on to, `None` where none is configured; made for the first request
    /// that needs it.
    #[must_use]
    pub fn media_server(&self) -> Option<&MediaServer> {
        self.media_server.get_or_init(|| self.config.streams_api.as_ref().map(MediaServer::new)).as_ref()
    }
}

impl MediaServer {
    /// A client; it connects when it is first told something.
    #[must_use]
    pub fn new(api: &StreamsApi) -> Self {
        let authorization = api.token.as_ref().and_then(|token| {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(token.expose_secret()));
            // Base64 always makes a value.
            let mut value = HeaderValue::try_from(basic).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self { url: api.url.clone(), authorization, http: outgoing::client() }
    }

    /// Has it end a session; where there is none, that is done. Only its Enterprise edition has a call for that. It takes as
    /// long as the server does.
    pub async fn terminate(&self, stream: &Stream, name: &ConnectionName) -> Result<Cut, MediaServerError> {
        // What is no part of a path is no name of theirs either.
        let Some(path) = path(stream, name) else { return Ok(Cut::Off) };
        let mut request = Request::delete(format!("{}{path}", self.url))
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(String::new()).map_err(|_| MediaServerError::Request)?;
        let response = outgoing::send(&self.http, request).await;
        let response = response.map_err(|error| MediaServerError::Unreachable(root_cause(&error)))?;
        let status = response.status();
        // Read to its end also where it says nothing, so that the connection can be used again.
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await;
        let body = body.map(Collected::to_bytes).unwrap_or_default();
        match status {
            StatusCode::OK => Ok(Cut::Off),
            StatusCode::NOT_FOUND => not_found(&body).ok_or(MediaServerError::Status(status.as_u16())),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(MediaServerError::Credentials(status.as_u16())),
            other => Err(MediaServerError::Status(other.as_u16())),
        }
    }
}

/// What a media server says that does not find something.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NotFound {
    message: String,
    response: String,
}

/// What a media server does not find: the session, or anything that it would be in, or a way to end it; `None` where
/// somebody else has answered.
fn not_found(body: &[u8]) -> Option<Cut> {
    let NotFound { message, response } = serde_json::from_slice(body).ok()?;
    if message.contains("Controller not found") {
        return Some(Cut::Impossible);
    }
    [message, response].iter().any(|text| text.contains("Could not find the")).then_some(Cut::Off)
}

/// Where a session is; `None` where none can be.
fn path(stream: &Stream, name: &ConnectionName) -> Option<String> {
    let Stream { vhost, app, stream } = stream;
    let (vhost, app, stream, name) = (segment(vhost)?, segment(app)?, segment(stream)?, segment(name.as_str())?);
    Some(format!("/v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions/{name}"))
}

#[cfg(test)]
mod tests;
