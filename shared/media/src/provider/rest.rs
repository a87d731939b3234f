//! The REST API that OpenTok and Vonage have in common (`docs/apis/opentok.md`, `docs/apis/vonage.md`). They differ in
//! the address, in the credentials of a request, and in what a project is called.

use greenroom_core::{id::ProviderSessionId, model::SessionMode};
use http::{HeaderName, Method, Request, StatusCode, header};
use serde::Deserialize;

use self::client::HttpApi;
use super::{Archives, NewSession, ProviderError, form};
use crate::outgoing::segment;

mod client;

/// The longest session id that is accepted, in bytes. The providers' own have about 80 to 110.
const SESSION_ID_MAX: usize = 255;

/// What shows a provider who asks.
pub(super) trait Credentials: Send + Sync {
    /// The header of a new request. Each has another, because the provider may take each only once.
    fn header(&self) -> Result<(HeaderName, String), ProviderError>;
}

/// The API, as one of a provider's projects uses it.
pub(super) struct RestApi<C> {
    url: String,
    project: String,
    credentials: C,
    pub(super) http: HttpApi,
}

/// The fields of a new session that are read.
#[derive(Deserialize)]
struct Created {
    session_id: String,
}

impl<C: Credentials> RestApi<C> {
    /// The API at this address. The first request connects to it.
    pub(super) fn new(url: &str, project: String, credentials: C) -> Self {
        Self { url: url.to_owned(), project, credentials, http: HttpApi::new() }
    }

    /// Makes a session. Nobody could join one that is not `ours`.
    pub(super) async fn create(
        &self,
        session: &NewSession,
        ours: impl Fn(&ProviderSessionId) -> bool,
    ) -> Result<ProviderSessionId, ProviderError> {
        let body = creation(session);
        let make = || self.request(Method::POST, "/session/create", body.clone());
        let [created] = self.http.call::<[Created; 1]>(make).await?;
        if !(1..=SESSION_ID_MAX).contains(&created.session_id.len()) {
            return Err(ProviderError::Unreadable);
        }
        let id = ProviderSessionId::new(created.session_id);
        if ours(&id) { Ok(id) } else { Err(ProviderError::ForeignSession) }
    }

    /// A page of a session's archives, newest first.
    pub(super) async fn archives(
        &self,
        session: &ProviderSessionId,
        offset: usize,
        count: usize,
    ) -> Result<Archives, ProviderError> {
        let session = form::encode(session.as_str());
        let path = format!("/v2/project/{}/archive?sessionId={session}&offset={offset}&count={count}", self.project);
        let archives = self.http.call::<Archives>(|| self.request(Method::GET, &path, String::new())).await?;
        Ok(archives.without_private_keys())
    }

    /// Ends a connection. One that is not there counts as ended.
    pub(super) async fn disconnect(&self, session: &ProviderSessionId, connection: &str) -> Result<(), ProviderError> {
        // The provider has no id that cannot be part of a path.
        let (Some(session), Some(connection)) = (segment(session.as_str()), segment(connection)) else { return Ok(()) };
        let path = format!("/v2/project/{}/session/{session}/connection/{connection}", self.project);
        let make = || self.request(Method::DELETE, &path, String::new());
        self.http.tell(make, &[StatusCode::NO_CONTENT, StatusCode::NOT_FOUND]).await
    }

    fn request(&self, method: Method, path: &str, body: String) -> Result<Request<String>, ProviderError> {
        let (name, credentials) = self.credentials.header()?;
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header(name, credentials)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        request.body(body).map_err(|_| ProviderError::Request)
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
