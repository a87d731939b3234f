//! TLS in front of the store, as with DynamoDB. On Lambda the handshake is most of the first request.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::{TLS12, TLS13},
};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_rustls::TlsAcceptor;

use crate::Result;

/// The certificates that a function on AWS trusts by default.
const AMAZON_ROOTS: &str = include_str!("../../../shared/aws/src/amazon-roots.pem");

/// The proxy; it ends when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    certificate: String,
    directory: TempDir,
    accepted: Arc<AtomicUsize>,
    _server: JoinSet<()>,
}

impl Proxy {
    /// Accepts connections on a free port, and passes their content on without encryption.
    pub(crate) async fn start(store: SocketAddr) -> Result<Self> {
        let (certificate, config) = certified()?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let accepted = Arc::new(AtomicUsize::new(0));
        let (mut server, counter) = (JoinSet::new(), accepted.clone());
        server.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(pass_on(stream, acceptor.clone(), store));
            }
        });
        Ok(Self { address, certificate, directory: TempDir::new()?, accepted, _server: server })
    }

    /// The URL of the proxy.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The number of accepted connections.
    #[must_use]
    pub(crate) fn accepted(&self) -> usize {
        self.accepted.load(Ordering::Relaxed)
    }

    /// A file with the trusted certificates: this authority after the `others`.
    pub(crate) fn trusted_beside(&self, name: &str, others: &str) -> Result<String> {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::write(&path, format!("{others}\n{}", self.certificate))?;
        Ok(path.to_str().ok_or("a path that is no text")?.to_owned())
    }

    /// The same file, with this authority after Amazon's roots.
    pub(crate) fn trusted_beside_amazon(&self) -> Result<String> {
        self.trusted_beside("amazon.pem", AMAZON_ROOTS)
    }
}

/// Passes on everything until the connection ends. An error is ignored here, because the peer that caused it reports
/// it.
async fn pass_on(stream: TcpStream, acceptor: TlsAcceptor, store: SocketAddr) {
    let passed = async {
        stream.set_nodelay(true)?;
        let mut stream = acceptor.accept(stream).await?;
        let mut store = TcpStream::connect(store).await?;
        store.set_nodelay(true)?;
        copy_bidirectional(&mut stream, &mut store).await
    };
    let _ = passed.await;
}

/// An authority's certificate, and a server with a chain like that of an AWS endpoint: leaf, intermediate, root.
fn certified() -> Result<(String, ServerConfig)> {
    let authority = |name: &str| -> Result<CertificateParams> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.use_authority_key_identifier_extension = true;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        Ok(params)
    };
    let root = CertifiedIssuer::self_signed(authority("root of the benchmark")?, KeyPair::generate()?)?;
    let intermediate =
        CertifiedIssuer::signed_by(authority("intermediate of the benchmark")?, KeyPair::generate()?, &root)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    leaf.use_authority_key_identifier_extension = true;
    let leaf = leaf.signed_by(&key, &intermediate)?;
    let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone(), intermediate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_protocol_versions(&[&TLS13, &TLS12]).with_no_client_auth();
    Ok((root.pem(), config.with_single_cert(chain, key)?))
}
