//! Requests to the addresses of a deployment.

use std::{collections::BTreeMap, time::Duration};

use axum::body::Bytes;
use greenroom_media::outgoing::{self, HttpClient};
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use tokio::time::timeout;

/// The timeout of an answer. It covers a cold start, and the delays of a busy account.
const TIMEOUT: Duration = Duration::from_secs(15);
/// The longest body that is read, in bytes.
const BODY_MAX: usize = 64 << 10;

/// The status and headers of an answer.
pub(super) async fn request(
    client: &HttpClient,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<(StatusCode, BTreeMap<String, String>), String> {
    let answer = in_time(send(client, method, url, headers)).await?;
    Ok((answer.status(), headers_of(&answer)))
}

/// The status, headers and body of the answer to a GET.
pub(super) async fn get(
    client: &HttpClient,
    url: &str,
) -> Result<(StatusCode, BTreeMap<String, String>, Bytes), String> {
    let exchange = async {
        let answer = send(client, "GET", url, &[]).await?;
        let (status, headers) = (answer.status(), headers_of(&answer));
        let body = Limited::new(answer.into_body(), BODY_MAX).collect().await;
        let body = body.map_err(|error| outgoing::root_cause(&*error))?;
        Ok((status, headers, body.to_bytes()))
    };
    in_time(exchange).await
}

async fn in_time<T>(exchange: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(TIMEOUT, exchange).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

async fn send(
    client: &HttpClient,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<Response<Incoming>, String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(String::new()).map_err(|_| "is no address".to_owned())?;
    client.request(request).await.map_err(|error| outgoing::root_cause(&error))
}

fn headers_of(answer: &Response<Incoming>) -> BTreeMap<String, String> {
    let text = |value: &http::HeaderValue| value.to_str().ok().map(str::to_owned);
    answer.headers().iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
}
