//! OpenTok's REST API (`docs/apis/opentok.md`).

use futures_util::future::FutureExt;
use greenroom_core::{
    clock::Clock,
    config::OpenTok,
    hs256,
    id::{ProviderSessionId, random_hex},
    model::SessionMode,
};
use http::{Method, Request, StatusCode, header};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use self::client::OpenTokApi;
use super::{Answer, Archives, MediaProvider, NewSession, ProviderError, form, session_id};
use crate::outgoing::segment;

mod client;
#[cfg(test)]
mod tests;

/// How long a request's credentials are valid, in seconds.
const CREDENTIALS_TTL: i64 = 180;
/// The longest session id that is accepted, in bytes. The provider's own have about 80.
const SESSION_ID_MAX: usize = 255;

/// A project of OpenTok.
pub struct OpenTokProvider {
    api_key: String,
    api_url: String,
    secret: SecretString,
    clock: Clock,
    api: OpenTokApi,
}

greenroom_core::opaque!(OpenTokProvider);

/// The claims in the header of each request: who asks, and until when.
#[derive(Serialize)]
struct Credentials<'a> {
    iss: &'a str,
    ist: &'static str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// The fields of a new session that are read.
#[derive(Deserialize)]
struct Created {
    session_id: String,
}

impl OpenTokProvider {
    /// A client of this project. It connects with the first request.
    #[must_use]
    pub fn new(project: &OpenTok, clock: Clock) -> Self {
        hs256::install();
        Self {
            api_key: project.api_key.clone(),
            api_url: project.api_url.clone(),
            secret: project.api_secret.clone(),
            clock,
            api: OpenTokApi::new(),
        }
    }

    async fn create(&self, session: &NewSession) -> Result<ProviderSessionId, ProviderError> {
        let body = creation(session);
        let make = || self.request(Method::POST, "/session/create", body.clone());
        let [created] = self.api.call::<[Created; 1]>(make).await?;
        if !(1..=SESSION_ID_MAX).contains(&created.session_id.len()) {
            return Err(ProviderError::Unreadable);
        }
        // Nobody could join a session with any other id.
        let id = ProviderSessionId::new(created.session_id);
        if session_id::is_of(&id, &self.api_key) { Ok(id) } else { Err(ProviderError::ForeignSession) }
    }

    async fn list(&self, session: &ProviderSessionId, offset: usize, count: usize) -> Result<Archives, ProviderError> {
        let session = form::encode(session.as_str());
        let path = format!("/v2/project/{}/archive?sessionId={session}&offset={offset}&count={count}", self.api_key);
        let archives = self.api.call::<Archives>(|| self.request(Method::GET, &path, String::new())).await?;
        Ok(archives.without_private_keys())
    }

    async fn end(&self, session: &ProviderSessionId, connection: &str) -> Result<(), ProviderError> {
        // The provider has no id that cannot be part of a path.
        let (Some(session), Some(connection)) = (segment(session.as_str()), segment(connection)) else { return Ok(()) };
        let path = format!("/v2/project/{}/session/{session}/connection/{connection}", self.api_key);
        let make = || self.request(Method::DELETE, &path, String::new());
        self.api.tell(make, &[StatusCode::NO_CONTENT, StatusCode::NOT_FOUND]).await
    }

    /// A request with credentials of its own, because the provider may take each only once.
    fn request(&self, method: Method, path: &str, body: String) -> Result<Request<String>, ProviderError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.api_url))
            .header("x-opentok-auth", self.credentials()?)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request.body(body).map_err(|_| ProviderError::Request)
    }

    fn credentials(&self) -> Result<String, ProviderError> {
        let iat = self.clock.now().seconds();
        let claims =
            Credentials { iss: &self.api_key, ist: "project", iat, exp: iat + CREDENTIALS_TTL, jti: random_hex() };
        let key = EncodingKey::from_secret(self.secret.expose_secret().as_bytes());
        let signed = key.and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key));
        signed.map_err(|_| ProviderError::Request)
    }
}

/// The form of a request for this session.
fn creation(session: &NewSession) -> String {
    let preference = match session.mode {
        SessionMode::Relayed => "enabled",
        SessionMode::Routed => "disabled",
    };
    let archive = if session.archive { "always" } else { "manual" };
    let location = session.location.map_or_else(String::new, |location| format!("&location={location}"));
    format!("p2p.preference={preference}&archiveMode={archive}{location}")
}

impl MediaProvider for OpenTokProvider {
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId> {
        self.create(session).boxed()
    }

    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives> {
        self.list(session, offset, count).boxed()
    }

    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()> {
        self.end(session, connection).boxed()
    }
}
