//! HTTP to media servers: the client, and the segments of paths.
//!
//! The client follows no redirect and uses no proxy. A Lambda function has no proxy, and either could pass our
//! credentials on.

use std::{error::Error, time::Duration};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::crypto::ring;

/// How long a connection is kept for the next request. A function that was frozen in between may find it dead, and not
/// notice before its time is up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(10);
/// The characters that a segment of a path has to escape: all but the unreserved ones (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A client of HTTP servers. It uses TLS if the URL says so.
pub type HttpClient = legacy::Client<HttpsConnector<HttpConnector>, String>;

/// A client that trusts Mozilla's roots, which are built in. Reading the machine's roots takes longer than the rest of
/// a cold start. It connects with the first request.
#[must_use]
#[expect(
    clippy::missing_panics_doc,
    reason = "it fails for a provider without TLS 1.2 and 1.3, which a test rules out"
)]
pub fn client() -> HttpClient {
    let https = HttpsConnectorBuilder::new().with_provider_and_webpki_roots(ring::default_provider());
    #[expect(clippy::expect_used, reason = "it fails for a provider without TLS 1.2 and 1.3, which a test rules out")]
    let https = https.expect("ring speaks TLS 1.2 and 1.3").https_or_http().enable_http1().build();
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(https)
}

/// A text as one segment of a path. `None` if it is empty or consists of dots, which many servers take for another
/// path, escaped or not.
pub(crate) fn segment(text: &str) -> Option<String> {
    let one = !matches!(text, "" | "." | "..");
    one.then(|| utf8_percent_encode(text, RESERVED).to_string())
}

/// The root cause of a broken connection. The errors above it say only where in the client they arose.
#[must_use]
pub fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_leads_to_no_other_path() {
        assert_eq!(segment("a/b?c#d e%2f;é...").as_deref(), Some("a%2Fb%3Fc%23d%20e%252f%3B%C3%A9..."));
        assert_eq!(["", ".", ".."].map(segment), [None, None, None]);
    }
}
