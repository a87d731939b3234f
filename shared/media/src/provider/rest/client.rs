//! HTTP to a media provider: at most two attempts, each with a timeout, and answers of a limited length.

use std::time::Duration;

use axum::body::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use crate::{
    outgoing::{self, HttpClient},
    provider::ProviderError,
};

/// The timeout of one attempt, from connecting to the last byte of the answer (`docs/apis/opentok.md`).
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// The timeout of both attempts together. It is below 10 seconds, so that the caller still gets an answer.
const CALL_TIMEOUT: Duration = Duration::from_millis(9500);
/// The longest answer that is read, in bytes. A thousand archives have less than half of it.
const ANSWER_MAX: usize = 4 << 20;

/// The HTTP API of a media provider, as a client sees it.
pub(in crate::provider) struct HttpApi {
    http: HttpClient,
    pub(in crate::provider) attempt_timeout: Duration,
    pub(in crate::provider) call_timeout: Duration,
}

impl HttpApi {
    /// The API. The first request connects to it.
    pub(super) fn new() -> Self {
        Self { http: outgoing::client(), attempt_timeout: ATTEMPT_TIMEOUT, call_timeout: CALL_TIMEOUT }
    }

    /// The API's answer to a request.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        request: impl Fn() -> Result<Request<String>, ProviderError>,
    ) -> Result<T, ProviderError> {
        let body = self.attempts(request, &[StatusCode::OK]).await?;
        serde_json::from_slice(&body).map_err(|_| ProviderError::Unreadable)
    }

    /// Has the API do something. It has succeeded if it answers with one of these statuses.
    pub(super) async fn tell(
        &self,
        request: impl Fn() -> Result<Request<String>, ProviderError>,
        done: &[StatusCode],
    ) -> Result<(), ProviderError> {
        self.attempts(request, done).await.map(drop)
    }

    /// The body of an answer with an expected status. A broken connection and a server error get a second attempt.
    async fn attempts(
        &self,
        request: impl Fn() -> Result<Request<String>, ProviderError>,
        expected: &[StatusCode],
    ) -> Result<Bytes, ProviderError> {
        let attempts = async {
            match self.attempt(request()?, expected).await {
                Err(error) if error.is_worth_another_attempt() => {
                    tracing::warn!(%error, "asking the media provider again");
                    self.attempt(request()?, expected).await
                }
                outcome => outcome,
            }
        };
        timeout(self.call_timeout, attempts).await.unwrap_or(Err(ProviderError::TimedOut))
    }

    async fn attempt(&self, request: Request<String>, expected: &[StatusCode]) -> Result<Bytes, ProviderError> {
        timeout(self.attempt_timeout, self.exchange(request, expected)).await.unwrap_or(Err(ProviderError::TimedOut))
    }

    async fn exchange(&self, request: Request<String>, expected: &[StatusCode]) -> Result<Bytes, ProviderError> {
        let response = self.http.request(request).await.map_err(|error| ProviderError::unreachable(&error))?;
        match response.status() {
            status if expected.contains(&status) => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(ProviderError::Credentials),
            other => return Err(ProviderError::Status(other.as_u16())),
        }
        let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() { ProviderError::TooLong } else { ProviderError::unreachable(&*error) }
        })?;
        Ok(body.to_bytes())
    }
}
