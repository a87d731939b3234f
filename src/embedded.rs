//! The embedded DynamoDB, for servers without a cloud: dynoxide over SQLite, called in the process through the SDK.

mod batch;
mod call;
mod client;
mod desk;
mod door;
mod engine;
mod file;
mod operations;
mod protocol;
mod puts;
mod sweep;
#[cfg(test)]
mod tests;
mod tokens;
mod transaction;
mod typed;
mod values;

use std::path::Path;

use aws_sdk_dynamodb::Client;
use axum::Router;
use dynoxide::DynoxideError;
use secrecy::SecretString;
use tokio::net::TcpListener;

pub(crate) use self::{client::client_over, door::router};
use self::{desk::Desk, engine::Engine};
pub use self::{
    desk::Stopped,
    file::{FileError, copy, examine},
};
use crate::table::{self, TableError};

/// Why the embedded database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its file cannot be used.
    #[error("{0}")]
    File(#[from] FileError),
    /// It cannot be opened, read or written.
    #[error("the embedded database failed: {0}")]
    Database(#[from] DynoxideError),
    /// It has stopped working.
    #[error("{0}")]
    Stopped(#[from] Stopped),
    /// Its thread cannot be started.
    #[error("the embedded database cannot be started: {0}")]
    Thread(std::io::Error),
    /// Its port cannot be served.
    #[error("the embedded database cannot be served: {0}")]
    Serve(std::io::Error),
}

/// An embedded DynamoDB.
#[derive(Clone)]
pub struct Embedded {
    desk: Desk,
    /// Whether a transaction that is sent twice is recognised by its token. In the process no answer is lost.
    keeps_tokens: bool,
}

greenroom_core::opaque!(Embedded);

impl Embedded {
    /// The database in this file, which is made if it does not exist. An acknowledged write survives a crash of the
    /// process or the machine.
    pub fn open(file: &Path) -> Result<Self, EmbeddedError> {
        let unusable = |reason: String| FileError::Unusable(file.to_owned(), reason);
        let name = file.to_str().ok_or_else(|| unusable("its name is not UTF-8".to_owned()))?;
        if file.exists() {
            file::ensure_ours(file)?;
        }
        let engine = Engine::open(file, name)?;
        let desk = Desk::over_file(engine, file).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { desk, keeps_tokens: false })
    }

    /// A database in memory.
    pub fn memory() -> Result<Self, EmbeddedError> {
        let desk = Desk::over_memory(Engine::memory()?).map_err(EmbeddedError::Thread)?;
        Ok(Self { desk, keeps_tokens: false })
    }

    /// Makes the table that `template.yaml` declares, unless a table has this name.
    pub async fn create_table(&self, name: &str) -> Result<(), TableError> {
        table::ensure(&self.client(), name, true).await
    }

    /// Deletes expired items, as DynamoDB does by itself. Returns their number.
    pub async fn sweep(&self) -> Result<usize, EmbeddedError> {
        sweep::sweep(self).await
    }

    /// A client without a port in between. It uses JSON, as over a network.
    #[must_use]
    pub fn client(&self) -> Client {
        client_over(self.clone())
    }

    /// A client that passes operations as the SDK's types, without JSON.
    #[must_use]
    pub fn direct_client(&self) -> Client {
        client::client_of(self)
    }

    /// Serves the database to any caller, with DynamoDB's own protocol, until `stopped`.
    pub async fn listen(
        &self,
        listener: TcpListener,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), EmbeddedError> {
        serve(listener, router(self.clone()), stopped).await
    }

    /// The same, for programs on this machine that know the access key id (`docs/apis/access.md`).
    pub async fn listen_to_key(
        &self,
        listener: TcpListener,
        key: SecretString,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), EmbeddedError> {
        serve(listener, door::guarded(self.clone(), key), stopped).await
    }

    /// The answer to an operation: a status, and a body in DynamoDB's protocol.
    async fn respond(&self, operation: String, body: Vec<u8>) -> Result<(u16, String), Stopped> {
        let keeps_tokens = self.keeps_tokens;
        let writes = !protocol::only_reads(&operation);
        self.desk.run(writes, move |engine| protocol::respond(engine, &operation, &body, keeps_tokens)).await
    }
}

async fn serve(
    listener: TcpListener,
    service: Router,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), EmbeddedError> {
    axum::serve(listener, service).with_graceful_shutdown(stopped).await.map_err(EmbeddedError::Serve)
}
