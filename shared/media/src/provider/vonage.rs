//! Vonage Video, where OpenTok's customers are moved to (`docs/apis/vonage.md`).

use std::sync::Arc;

use futures_util::future::FutureExt;
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Vonage,
    id::{ProviderSessionId, random_hex},
    model::SessionOrigin,
};
use http::{HeaderName, header};
use serde::Serialize;

use self::rs256::Rs256;
use super::{
    Answer, Archives, Grant, MediaProvider, NewSession, ProviderError, ProviderToken, T1Error,
    rest::{Credentials, RestApi},
};

mod rs256;
#[cfg(test)]
mod tests;

/// How long a request's credentials are valid, in seconds.
const CREDENTIALS_TTL: i64 = 900;

/// An application of Vonage Video.
pub struct VonageProvider {
    application: Arc<Application>,
    api: RestApi<Arc<Application>>,
}

greenroom_core::opaque!(VonageProvider);

/// The application's id and key.
struct Application {
    id: String,
    /// The key that signs; `None` if it cannot. The configuration knows only that it is an RSA key.
    signer: Option<Rs256>,
    clock: Clock,
}

/// The claims in the header of each request.
#[derive(Serialize)]
struct RequestClaims<'a> {
    application_id: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
}

/// The claims in a participant's token.
#[derive(Serialize)]
struct TokenClaims<'a> {
    application_id: &'a str,
    sub: &'static str,
    session_id: &'a str,
    role: &'static str,
    scope: &'static str,
    initial_layout_class_list: &'static str,
    /// The SDKs leave it out where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    connection_data: &'a str,
    acl: Acl,
    iat: i64,
    exp: i64,
    jti: String,
}

/// What a token opens: every session path, which `session_id` narrows down.
#[derive(Serialize)]
struct Acl {
    paths: Paths,
}

#[derive(Serialize)]
struct Paths {
    #[serde(rename = "/session/**")]
    session: Anything,
}

#[derive(Serialize)]
struct Anything {}

impl Application {
    /// The token of these claims; `None` if the key cannot sign.
    fn token(&self, claims: &impl Serialize) -> Option<String> {
        self.signer.as_ref()?.token(claims)
    }
}

impl Credentials for Arc<Application> {
    fn header(&self) -> Result<(HeaderName, String), ProviderError> {
        let iat = self.clock.now().seconds();
        let claims = RequestClaims { application_id: &self.id, iat, exp: iat + CREDENTIALS_TTL, jti: random_hex() };
        let token = self.token(&claims).ok_or(ProviderError::Request)?;
        Ok((header::AUTHORIZATION, format!("Bearer {token}")))
    }
}

impl VonageProvider {
    /// A client of this application. It connects with the first request.
    #[must_use]
    pub fn new(vonage: &Vonage, clock: Clock) -> Self {
        let (id, signer) = (vonage.application.to_string(), vonage.private_keys.first().and_then(Rs256::new));
        if signer.is_none() {
            tracing::error!("VONAGE_PRIVATE_KEY cannot sign: it is broken, or has fewer than 2048 bits or over 4096");
        }
        let application = Arc::new(Application { id: id.clone(), signer, clock });
        Self { api: RestApi::new(&vonage.api_url, id, Arc::clone(&application)), application }
    }

    /// Whether tokens for this session can be made: the application made it.
    ///
    /// An id names who made the session: an application, or a project of OpenTok. How Vonage writes its ids is not
    /// documented, so an id that names neither counts as the application's. OpenTok's ids always name a project.
    #[must_use]
    pub fn knows(&self, session: &ProviderSessionId) -> bool {
        match SessionOrigin::of(session) {
            SessionOrigin::Vonage(application) => application.to_string() == self.application.id,
            SessionOrigin::Unknown => true,
            SessionOrigin::OpenTok | SessionOrigin::LiveKit => false,
        }
    }

    /// A new token. No two are the same.
    ///
    /// # Errors
    /// Vonage would refuse such a token, or the key cannot sign.
    pub fn token(&self, grant: &Grant<'_>, now: Timestamp) -> Result<ProviderToken, T1Error> {
        grant.check(now)?;
        if !self.knows(grant.session) {
            return Err(T1Error::Session);
        }
        let claims = TokenClaims {
            application_id: &self.application.id,
            sub: "video",
            session_id: grant.session.as_str(),
            role: grant.role.as_str(),
            scope: "session.connect",
            initial_layout_class_list: "",
            connection_data: grant.connection_data,
            acl: Acl { paths: Paths { session: Anything {} } },
            iat: now.seconds(),
            exp: grant.expires_at.seconds(),
            jti: random_hex(),
        };
        self.application.token(&claims).map(ProviderToken).ok_or(T1Error::Key)
    }
}

impl MediaProvider for VonageProvider {
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId> {
        self.api.create(session, |id| self.knows(id)).boxed()
    }

    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives> {
        self.api.archives(session, offset, count).boxed()
    }

    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()> {
        self.api.disconnect(session, connection).boxed()
    }
}
