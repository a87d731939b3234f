//! An HTTP client for tests. It is the one that the functions link, so tests compile no other.

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderMap, Method, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
        request, response,
    },
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Serialize, de::DeserializeOwned};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A client of plain HTTP, which keeps its connections.
#[derive(Clone, Debug)]
pub struct Client(legacy::Client<HttpConnector, Body>);

/// A request that is not sent yet.
#[derive(Debug)]
pub struct RequestBuilder {
    client: Client,
    head: request::Builder,
    body: Bytes,
}

/// An answer, whose body may still be on its way.
#[derive(Debug)]
pub struct Response {
    head: response::Parts,
    body: Body,
}

impl Default for Client {
    fn default() -> Self {
        Self(legacy::Client::builder(TokioExecutor::new()).build_http())
    }
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A GET request.
    pub fn get(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::GET, url)
    }

    /// A POST request.
    pub fn post(&self, url: impl AsRef<str>) -> RequestBuilder {
        self.request(Method::POST, url)
    }

    /// A request with this method.
    pub fn request(&self, method: Method, url: impl AsRef<str>) -> RequestBuilder {
        let head = request::Builder::new().method(method).uri(url.as_ref());
        RequestBuilder { client: self.clone(), head, body: Bytes::new() }
    }
}

impl RequestBuilder {
    /// Adds a header.
    #[must_use]
    pub fn header(self, name: impl AsRef<str>, value: impl AsRef<[u8]>) -> Self {
        Self { head: self.head.header(name.as_ref(), value.as_ref()), ..self }
    }

    /// Adds headers.
    #[must_use]
    pub fn headers(self, headers: &HeaderMap) -> Self {
        headers.iter().fold(self, |request, (name, value)| request.header(name, value))
    }

    /// Adds the credential of a user.
    #[must_use]
    pub fn basic_auth(self, user: &str, password: &str) -> Self {
        let credential = BASE64_STANDARD.encode(format!("{user}:{password}"));
        self.header(AUTHORIZATION, format!("Basic {credential}"))
    }

    /// Adds a token.
    #[must_use]
    pub fn bearer_auth(self, token: &str) -> Self {
        self.header(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// Sets the body.
    #[must_use]
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sets the body, in JSON.
    ///
    /// # Panics
    ///
    /// If the value cannot be written in JSON.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        #[expect(clippy::expect_used, reason = "tests send what JSON can express")]
        let body = serde_json::to_vec(body).expect("it can be written in JSON");
        self.header(CONTENT_TYPE, "application/json").body(body)
    }

    /// Sends the request, and waits for the head of the answer.
    pub async fn send(self) -> Result<Response, Error> {
        let answer = self.client.0.request(self.head.body(self.body.into())?).await?;
        let (head, body) = answer.map(Body::new).into_parts();
        Ok(Response { head, body })
    }
}

impl Response {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// The next part of the body; `None` at its end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let frame = self.body.frame().await.transpose()?;
        Ok(frame.and_then(|frame| frame.into_data().ok()))
    }

    /// The whole body.
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.body.collect().await?.to_bytes())
    }

    /// The whole body as text.
    pub async fn text(self) -> Result<String, Error> {
        Ok(String::from_utf8(self.bytes().await?.into())?)
    }

    /// The whole body, read as JSON.
    pub async fn json<T: DeserializeOwned>(self) -> Result<T, Error> {
        Ok(serde_json::from_slice(&self.bytes().await?)?)
    }
}
