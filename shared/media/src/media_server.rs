//! The client of a real OvenMediaEngine, which is told to end sessions that Greenroom has terminated
//! (`docs/apis/ovenmediaengine.md`).

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{config::StreamsApi, id::ConnectionName, model::live::Stream};
use greenroom_store::Cut;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, Collected, Limited};
use secrecy::ExposeSecret;
use serde::Deserialize;

use crate::outgoing::{self, HttpClient, root_cause, segment};

/// The longest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 << 10;

/// Why a media server did not do as it was told. The texts are for logs: they name kinds and codes, and nothing from
/// the request or the answer.
#[derive(Debug, thiserror::Error)]
pub enum MediaServerError {
    /// It could not be reached, or the connection broke before the answer.
    #[error("the media server cannot be reached: {0}")]
    Unreachable(String),
    /// It does not accept our token.
    #[error("the media server refused our credentials ({0})")]
    Credentials(u16),
    /// It answered with an unexpected status.
    #[error("the media server answered with status {0}")]
    Status(u16),
    /// The request cannot be made: its URL or token cannot be used.
    #[error("the request to the media server cannot be made")]
    Request,
}

/// A client of a media server's API.
pub struct MediaServer {
    url: String,
    authorization: Option<HeaderValue>,
    http: HttpClient,
}

greenroom_core::opaque!(MediaServer);

impl MediaServer {
    /// A client. It connects with the first request.
    #[must_use]
    pub fn new(api: &StreamsApi) -> Self {
        let authorization = api.token.as_ref().and_then(|token| {
            let basic = format!("Basic {}", BASE64_STANDARD.encode(token.expose_secret()));
            // Base64 is always a valid header value.
            let mut value = HeaderValue::try_from(basic).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        Self { url: api.url.clone(), authorization, http: outgoing::client() }
    }

    /// Has the media server end a session. If there is no such session, it counts as ended. Only the Enterprise edition
    /// has a call for this. Takes as long as the server does.
    pub async fn terminate(&self, stream: &Stream, name: &ConnectionName) -> Result<Cut, MediaServerError> {
        // The media server has no session with a name that cannot be part of a path.
        let Some(path) = path(stream, name) else { return Ok(Cut::Off) };
        let mut request = Request::delete(format!("{}{path}", self.url))
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")));
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(String::new()).map_err(|_| MediaServerError::Request)?;
        let response = self.http.request(request).await;
        let response = response.map_err(|error| MediaServerError::Unreachable(root_cause(&error)))?;
        let status = response.status();
        // The body is read to its end even if nothing in it matters, so that the connection can be used again.
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

/// A media server's body of a 404.
#[derive(Default, Deserialize)]
#[serde(default)]
struct NotFound {
    message: String,
    response: String,
}

/// What a media server did not find: the session or something that contains it, or the call itself. `None` if the
/// answer is not from a media server.
fn not_found(body: &[u8]) -> Option<Cut> {
    let NotFound { message, response } = serde_json::from_slice(body).ok()?;
    if message.contains("Controller not found") {
        return Some(Cut::Impossible);
    }
    [message, response].iter().any(|text| text.contains("Could not find the")).then_some(Cut::Off)
}

/// The path of a session. `None` if its names make none.
fn path(stream: &Stream, name: &ConnectionName) -> Option<String> {
    let Stream { vhost, app, stream } = stream;
    let (vhost, app, stream, name) = (segment(vhost)?, segment(app)?, segment(stream)?, segment(name.as_str())?);
    Some(format!("/v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions/{name}"))
}

#[cfg(test)]
mod tests;
