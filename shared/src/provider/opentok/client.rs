//! HTTP to OpenTok: two attempts at most, each in its time, and no more of an answer than we want to hold.
//!
//! It follows no redirect and asks no proxy: a Lambda function has none, and either could hand our credentials on.

use std::time::Duration;

use http::{Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::crypto::ring;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::provider::ProviderError;

/// How long one attempt may take, from connecting to the last byte of the answer (`opentok.md`).
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long both attempts may take together: less than 10 seconds, so that whoever asked us still gets an answer.
const CALL_TIMEOUT: Duration = Duration::from_millis(9500);
/// How long a connection is kept for the next request. A function that sleeps in between may find it dead, and not
/// notice before its time is up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest answer that is read, in bytes: a thousand archives have less than half of it.
const ANSWER_MAX: usize = 4 << 20;

/// A client of one API.
pub(super) struct Client {
    http: legacy::Client<HttpsConnector<HttpConnector>, String>,
    pub(super) attempt_timeout: Duration,
    pub(super) call_timeout: Duration,
}

impl Client {
    /// A client that knows servers by Mozilla's roots, which are built in: reading the machine's takes longer than the
    /// rest of a cold start.
    pub(super) fn new() -> Self {
        let https = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring::default_provider());
        #[expect(
            clippy::expect_used,
            reason = "it fails for a provider without TLS 1.2 and 1.3, which a test rules out"
        )]
        let https = https.expect("ring speaks TLS 1.2 and 1.3").https_or_http().enable_http1().build();
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build(https);
        Self { http, attempt_timeout: ATTEMPT_TIMEOUT, call_timeout: CALL_TIMEOUT }
    }

    /// What the API answers to this request; a broken connection and a fault of the API's own have one more attempt.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> Result<Request<String>, ProviderError>,
    ) -> Result<T, ProviderError> {
        let attempts = async {
            match self.attempt(request()?).await {
                Err(error) if error.is_worth_another_attempt() => {
                    tracing::warn!(%error, "asking the media provider again");
                    self.attempt(request()?).await
                }
                outcome => outcome,
            }
        };
        timeout(self.call_timeout, attempts).await.unwrap_or(Err(ProviderError::TimedOut))
    }

    async fn attempt<T: DeserializeOwned>(&self, request: Request<String>) -> Result<T, ProviderError> {
        timeout(self.attempt_timeout, self.exchange(request)).await.unwrap_or(Err(ProviderError::TimedOut))
    }

    async fn exchange<T: DeserializeOwned>(&self, request: Request<String>) -> Result<T, ProviderError> {
        let response = self.http.request(request).await.map_err(|error| ProviderError::unreachable(&error))?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::FORBIDDEN => return Err(ProviderError::Credentials),
            other => return Err(ProviderError::Status(other.as_u16())),
        }
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { ProviderError::TooLong } else { ProviderError::unreachable(&*error) }
        })?;
        serde_json::from_slice(&body.to_bytes()).map_err(|_| ProviderError::Unreadable)
    }
}
