//! Requests to the addresses of a deployment.

use std::{collections::BTreeMap, time::Duration};

use greenroom_media::outgoing::{self, HttpClient};
use http::{Request, StatusCode};

/// The timeout of an answer. It covers a cold start, and the delays of a busy account.
const TIMEOUT: Duration = Duration::from_secs(15);

/// The status and headers of an answer.
pub(super) async fn request(
    client: &HttpClient,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
) -> Result<(StatusCode, BTreeMap<String, String>), String> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(String::new()).map_err(|_| "is no address".to_owned())?;
    let answer = tokio::time::timeout(TIMEOUT, client.request(request)).await;
    let answer = answer.map_err(|_| "no answer in time".to_owned())?.map_err(|error| outgoing::root_cause(&error))?;
    let headers =
        answer.headers().iter().filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    Ok((answer.status(), headers.collect()))
}
