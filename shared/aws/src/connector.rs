//! The HTTP connections of the SDK: HTTP/1.1, kept open between requests.
//!
//! The SDK's own HTTP client would bring HTTP/2 and proxies, which nothing here uses, and the TLS settings a second
//! time. That is nearly a megabyte in every function, and work before every first request.

use std::{error::Error, io, time::Duration};

use aws_smithy_runtime_api::client::{
    connection::{CaptureSmithyConnection, ConnectionMetadata},
    http::{HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn},
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use http::Uri;
use hyper_rustls::HttpsConnectorBuilder;
use hyper_util::{
    client::legacy::{
        self,
        connect::{CaptureConnection, Connect, HttpConnector as Tcp, capture_connection},
    },
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use tokio::time::timeout;
use tower::{Service, service_fn};

/// The timeout for opening a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The root certificates of Amazon Trust Services. All public endpoints of AWS are certified under them.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// The root certificates that a server has to be certified under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Those of Amazon.
    Amazon,
    /// Those of the machine, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    Machine,
}

/// A client of plain HTTP.
pub(super) fn plain() -> SharedHttpClient {
    shared(pool(tcp()))
}

/// A client of HTTPS, by rustls on ring.
pub(super) fn secure(trust: Trust) -> SharedHttpClient {
    let https = HttpsConnectorBuilder::new().with_tls_config(tls(trust)).https_only().enable_http1();
    let mut https = https.wrap_connector(tcp());
    // The timeout covers the TLS handshake too.
    shared(pool(service_fn(move |uri: Uri| {
        let connected = https.call(uri);
        Box::pin(async move {
            let late = || io::Error::new(io::ErrorKind::TimedOut, "no connection in time").into();
            timeout(CONNECT_TIMEOUT, connected).await.unwrap_or_else(|_| Err(late()))
        })
    })))
}

fn tcp() -> Tcp {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp
}

fn tls(trust: Trust) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(ring::default_provider().into());
    #[expect(clippy::expect_used, reason = "it fails for a provider without TLS 1.2 and 1.3, which a test rules out")]
    let config = config.with_safe_default_protocol_versions().expect("ring speaks TLS 1.2 and 1.3");
    config.with_root_certificates(roots(trust)).with_no_client_auth()
}

fn roots(trust: Trust) -> RootCertStore {
    let certificates: Vec<_> = match trust {
        // A test checks that all of them can be read.
        Trust::Amazon => CertificateDer::pem_slice_iter(AMAZON_ROOTS).flatten().collect(),
        Trust::Machine => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                tracing::warn!("this machine has no certificates to know servers by");
            }
            found.certs
        }
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates);
    roots
}

/// A pool of connections, for all clients that share it.
struct Pool<C>(legacy::Client<C, SdkBody>);

fn pool<C: Connect + Clone>(connector: C) -> Pool<C> {
    Pool(legacy::Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(connector))
}

fn shared<C: Connect + Clone + Send + Sync + 'static>(pool: Pool<C>) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(pool);
    http_client_fn(move |_, _| connector.clone())
}

impl<C> std::fmt::Debug for Pool<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pool")
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> HttpConnector for Pool<C> {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || Some(poisonable(connection.clone())));
        }
        let answer = self.0.request(request);
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(failure)?;
            let answer = HttpResponse::try_from(answer.map(SdkBody::from_body_1_x));
            answer.map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The connection that the SDK drops after a failed attempt.
fn poisonable(connection: CaptureConnection) -> ConnectionMetadata {
    let poison = move || {
        if let Some(connected) = connection.connection_metadata().as_ref() {
            connected.poison();
        }
    };
    ConnectionMetadata::builder().proxied(false).poison_fn(poison).build()
}

/// Turns a connection error into one that the SDK retries. A connection that broke once may not break again.
fn failure(error: legacy::Error) -> ConnectorError {
    if is_late(&error) { ConnectorError::timeout(error.into()) } else { ConnectorError::io(error.into()) }
}

fn is_late(error: &(dyn Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |&error| error.source());
    causes.any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut))
}

#[cfg(test)]
mod tests;
