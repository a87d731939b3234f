//! Requests to the API, at a running server or in this process.

use axum::{Router, body::Body};
use http::{Request, Response, header};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tower::ServiceExt;

use crate::cli::CliError;

/// The default URL of a server.
pub(super) const DEFAULT_URL: &str = "http://127.0.0.1:3000";

/// A sender of requests to `/api/v2`.
pub(super) enum Caller {
    InProcess(Router),
    OverHttp(Box<Client<HttpConnector, Body>>, String),
}

impl Caller {
    pub(super) fn in_process(service: Router) -> Self {
        Self::InProcess(service)
    }

    pub(super) fn over_http(url: String) -> Self {
        Self::OverHttp(Box::new(Client::builder(TokioExecutor::new()).build_http()), url)
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::OverHttp(..))
    }

    pub(super) fn url(&self) -> &str {
        match self {
            Self::InProcess(_) => DEFAULT_URL,
            Self::OverHttp(_, url) => url,
        }
    }

    pub(super) async fn get(&self, path: &str, authorization: &str) -> Result<Value, CliError> {
        self.send(self.request("GET", path, authorization).body(Body::empty())).await
    }

    pub(super) async fn post(&self, path: &str, authorization: &str, body: &Value) -> Result<Value, CliError> {
        let request = self.request("POST", &format!("{path}/"), authorization);
        self.send(request.header(header::CONTENT_TYPE, "application/json").body(body.to_string().into())).await
    }

    fn request(&self, method: &str, path: &str, authorization: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(format!("{}/api/v2/{path}", self.url()));
        if authorization.is_empty() { request } else { request.header(header::AUTHORIZATION, authorization) }
    }

    async fn send(&self, request: http::Result<Request<Body>>) -> Result<Value, CliError> {
        let failed = |reason: String| CliError::Demo(reason);
        let request = request.map_err(|error| failed(error.to_string()))?;
        let response: Response<Body> = match self {
            Self::InProcess(service) => match service.clone().oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Self::OverHttp(client, _) => {
                client.request(request).await.map_err(|error| failed(error.to_string()))?.map(Body::new)
            }
        };
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status.as_u16() {
            200 | 201 => Ok(answer),
            400 if answer.get("non_field_errors").is_some() => Err(CliError::DemoLogin),
            status => Err(failed(format!("{status} {answer}"))),
        }
    }
}
