//! A socket in the data directory, through which its owner's commands reach a running server. A process that may open
//! the socket may do what the owner may, so the socket is as private as the database.

use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use aws_sdk_dynamodb::Client;
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use axum::{Router, routing::get};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use tempfile::TempDir;
use tokio::net::{UnixListener, UnixStream};

use super::{
    CliError,
    connection::Stop,
    data_dir::{OpenDataDir, restrict},
    jobs::Jobs,
};
use crate::embedded::{Embedded, client_over, router};

/// The name of the socket in the data directory.
const SOCKET: &str = "socket";

/// The longest path of a socket on every system. macOS has room for 103 bytes.
const PATH_MAX: usize = 103;

/// The path that tells which server this is.
const WHO: &str = "/who";

/// A socket that is served as long as this lives.
pub(super) struct ServedSocket {
    path: PathBuf,
    /// The directory of the socket, if the data directory's path is too long for it.
    _elsewhere: Option<TempDir>,
}

impl Drop for ServedSocket {
    fn drop(&mut self) {
        // If this fails, a socket stays that nobody listens on. Commands notice that.
        let _ = fs::remove_file(&self.path);
    }
}

/// Serves the store of a data directory to its owner's commands, until the server stops.
pub(super) fn serve(
    data_dir: &OpenDataDir,
    embedded: &Embedded,
    url: &str,
    stopped: &Stop,
    jobs: &mut Jobs,
) -> Result<ServedSocket, CliError> {
    let failed = |error| CliError::File(data_dir.path().join(SOCKET), error);
    let (listener, socket) = bind(data_dir.path()).map_err(failed)?;
    let url = url.to_owned();
    let service = router(embedded.clone()).merge(Router::new().route(WHO, get(async move || url)));
    let told = stopped.told();
    jobs.start("serving commands", async move {
        if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(told).await {
            tracing::error!(%error, "commands are no longer served");
        }
    });
    Ok(socket)
}

/// Makes the socket, private before another process can find it. Replaces a socket that a killed server left behind:
/// the caller has the directory's lock.
fn bind(data_dir: &Path) -> io::Result<(UnixListener, ServedSocket)> {
    let data_dir = data_dir.canonicalize()?;
    let room = tempfile::Builder::new().prefix(".socket").tempdir_in(&data_dir)?;
    let fits = room.path().join(SOCKET).as_os_str().len() <= PATH_MAX;
    let elsewhere = if fits { None } else { Some(tempfile::Builder::new().prefix("greenroom").tempdir()?) };
    let made = elsewhere.as_ref().unwrap_or(&room).path().join(SOCKET);
    let listener = UnixListener::bind(&made)?;
    restrict(&made, 0o600)?;
    let (path, new) = (data_dir.join(SOCKET), room.path().join(SOCKET));
    if elsewhere.is_some() {
        symlink(&made, &new)?;
    }
    fs::rename(&new, &path)?;
    Ok((listener, ServedSocket { path, _elsewhere: elsewhere }))
}

/// The connection to the server that has a data directory.
#[derive(Clone, Debug)]
pub(super) struct Server {
    socket: PathBuf,
    /// The URL at which it listens for other callers.
    pub(super) url: String,
}

impl Server {
    /// The server of this data directory; `None` if none answers.
    pub(super) async fn find(data_dir: &Path) -> Option<Self> {
        let path = data_dir.canonicalize().ok()?.join(SOCKET);
        let socket = fs::read_link(&path).unwrap_or(path);
        let request = http::Request::get(WHO).body(SdkBody::empty()).ok()?;
        let answer = send(&socket, request).await.ok()?;
        let url = String::from_utf8(answer.into_body().bytes()?.to_vec()).ok()?;
        Some(Self { socket, url })
    }

    /// A client of its store.
    pub(super) fn client(&self) -> Client {
        client_over(self.clone())
    }
}

impl HttpConnector for Server {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let socket = self.socket.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::other(error.into(), None))?;
            let answer = send(&socket, request).await.map_err(|error| ConnectorError::io(error.into()))?;
            let status = answer.status().as_u16();
            let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, answer.into_body()))
        })
    }
}

/// Sends a request on a connection of its own.
async fn send(socket: &Path, request: http::Request<SdkBody>) -> io::Result<http::Response<SdkBody>> {
    let stream = UnixStream::connect(socket).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    Ok(http::Response::from_parts(head, SdkBody::from(body)))
}
