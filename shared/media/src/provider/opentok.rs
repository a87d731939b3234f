//! OpenTok's REST API (`docs/apis/opentok.md`).

use futures_util::future::FutureExt;
use greenroom_core::{
    clock::Clock,
    config::OpenTok,
    hs256,
    id::{ProviderSessionId, random_hex},
    model::is_of_project,
};
use http::HeaderName;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::{
    Answer, Archives, MediaProvider, NewSession, ProviderError,
    rest::{Credentials, RestApi},
};

#[cfg(test)]
mod tests;

/// How long a request's credentials are valid, in seconds.
const CREDENTIALS_TTL: i64 = 180;
/// The header of a request's credentials.
const HEADER: HeaderName = HeaderName::from_static("x-opentok-auth");

/// A project of OpenTok.
pub struct OpenTokProvider {
    api_key: String,
    api: RestApi<Secret>,
}

greenroom_core::opaque!(OpenTokProvider);

/// The project's key and secret.
struct Secret {
    api_key: String,
    secret: SecretString,
    clock: Clock,
}

/// The claims in the header of each request: who asks, and until when.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    ist: &'static str,
    iat: i64,
    exp: i64,
    jti: String,
}

impl OpenTokProvider {
    /// A client of this project. It connects with the first request.
    #[must_use]
    pub fn new(project: &OpenTok, clock: Clock) -> Self {
        hs256::install();
        let api_key = project.api_key.clone();
        let secret = Secret { api_key: api_key.clone(), secret: project.api_secret.clone(), clock };
        Self { api: RestApi::new(&project.api_url, api_key.clone(), secret), api_key }
    }
}

impl Credentials for Secret {
    fn header(&self) -> Result<(HeaderName, String), ProviderError> {
        let iat = self.clock.now().seconds();
        let claims = Claims { iss: &self.api_key, ist: "project", iat, exp: iat + CREDENTIALS_TTL, jti: random_hex() };
        let key = EncodingKey::from_secret(self.secret.expose_secret().as_bytes());
        let signed = key.and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key));
        Ok((HEADER, signed.map_err(|_| ProviderError::Request)?))
    }
}

impl MediaProvider for OpenTokProvider {
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId> {
        self.api.create(session, |id| is_of_project(id, &self.api_key)).boxed()
    }

    fn archives<'a>(&'a self, session: &'a ProviderSessionId, offset: usize, count: usize) -> Answer<'a, Archives> {
        self.api.archives(session, offset, count).boxed()
    }

    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()> {
        self.api.disconnect(session, connection).boxed()
    }
}
