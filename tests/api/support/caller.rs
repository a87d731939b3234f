//! Sends requests to the API and reads the answers.

use std::{fmt, net::IpAddr};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    http::{HeaderMap, Request, StatusCode, header, response::Parts},
    response::Response,
};
use greenroom_core::model::guesses::SourceAddress;
use greenroom_http::Reported;
use serde_json::Value;
use tower::ServiceExt;

use super::TestApp;
use crate::conformance::{self, Exchange};
/// A caller who sends requests.
pub(crate) struct Caller<'a> {
    pub(super) app: &'a TestApp,
    pub(super) authorization: Option<String>,
    pub(super) source: Option<IpAddr>,
    /// Sent with every request.
    pub(super) header: Option<(&'static str, String)>,
}

impl Caller<'_> {
    /// The credentials that the caller shows.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }

    /// The same caller, at this address.
    pub(crate) fn at(self, address: &str) -> Self {
        Self { source: Some(address.parse().unwrap()), ..self }
    }

    /// The same caller, who sends this header too.
    pub(crate) fn with_header(self, name: &'static str, value: &str) -> Self {
        Self { header: Some((name, value.to_owned())), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], Body::empty()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], Body::empty()).await
    }

    /// Posts JSON.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.post_text(path, body.to_string()).await
    }

    /// Posts this text as JSON.
    pub(crate) async fn post_text(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.send("POST", path, &[("content-type", "application/json")], body.into()).await
    }

    /// Posts this text as JSON; the answer's text.
    pub(crate) async fn post_for_text(&self, path: &str, body: String) -> String {
        let headers = [("content-type", "application/json")];
        let (_, body) = self.exchange("POST", path, &headers, body.into()).await;
        String::from_utf8(body.to_vec()).unwrap()
    }

    /// Posts nothing.
    pub(crate) async fn post_nothing(&self, path: &str) -> Answer {
        self.send("POST", path, &[], Body::empty()).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let (parts, bytes) = self.exchange(method, path, headers, body).await;
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).unwrap() };
        let reported = parts.extensions.get().cloned().unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body, reported }
    }

    async fn exchange(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> (Parts, Bytes) {
        // A body of unknown size may never end.
        let (sent, body) = match HttpBody::size_hint(&body).exact() {
            Some(_) => {
                let sent = to_bytes(body, usize::MAX).await.unwrap();
                (Some(sent.clone()), Body::from(sent))
            }
            None => (None, body),
        };
        let response = self.begin(self.request(method, path, headers, body)).await;
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        self.app.guard.check();
        conformance::check(&Exchange {
            method,
            path,
            sent: sent.as_deref(),
            status: parts.status,
            headers: &parts.headers,
            body: &body,
        });
        (parts, body)
    }

    /// The answer to a GET, as text.
    pub(crate) async fn text(&self, path: &str, headers: &[(&str, &str)]) -> String {
        let (parts, body) = self.exchange("GET", path, headers, Body::empty()).await;
        assert_eq!(parts.status, StatusCode::OK, "{path}");
        String::from_utf8_lossy(&body).into_owned()
    }

    /// The answer to a request; its body is not read yet.
    pub(crate) async fn begin(&self, request: Request<Body>) -> Response {
        self.app.service.clone().oneshot(request).await.unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "greenroom.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some((name, value)) = &self.header {
            request = request.header(*name, value);
        }
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        request.extension(SourceAddress(self.source)).body(body).unwrap()
    }
}

/// An answer; shown as its status and its JSON, `-` if there is none.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) reported: Reported,
}

impl Answer {
    /// The value of a header, `-` if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("-", |value| value.to_str().unwrap())
    }

    /// The status and the message of an OpenVidu error.
    pub(crate) fn problem(&self) -> String {
        let [status, message] = ["status", "message"].map(|key| &self.body[key]);
        assert_eq!(*status, self.status.as_u16());
        format!("{} {}", self.status.as_u16(), message.as_str().unwrap())
    }

    /// The status and the code of a device error.
    pub(crate) fn code(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.body["error"]["code"].as_str().unwrap())
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.status.as_u16();
        if self.body.is_null() { write!(f, "{status} -") } else { write!(f, "{status} {}", self.body) }
    }
}
