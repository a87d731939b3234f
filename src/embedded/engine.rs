//! The engine that runs operations: dynoxide over one connection to SQLite.

use std::path::Path;

use dynoxide::{
    DynoxideError,
    actions::{self, transact_write_items::TransactWriteItemsRequest, vector_lifecycle::VectorIndexLifecycle},
    storage::Storage,
};
use futures_util::FutureExt;

use super::{file::FileError, tokens::Tokens};

/// The settings of the connection to a file.
///
/// A commit writes to the log. [`Desk`](super::desk::Desk) syncs the log once for all waiting writes, and answers none
/// of them before. The log goes into the database every 32 MB, and then the file is synced.
const PRAGMAS: &str = "PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 8000; PRAGMA cache_size = -16000; \
                       PRAGMA temp_store = MEMORY";
/// More prepared statements than this code has.
const STATEMENTS: usize = 64;

/// One connection with its caches.
pub(super) struct Engine {
    pub(super) storage: Storage,
    pub(super) vectors: VectorIndexLifecycle,
    pub(super) tokens: Tokens,
}

impl Engine {
    /// An engine over the database in this file, which is made if it does not exist.
    pub(super) fn open(file: &Path, name: &str) -> Result<Self, FileError> {
        let storage = Storage::new(name).map_err(|error| FileError::of(file, &error))?;
        let prepared = storage.conn().execute_batch(PRAGMAS);
        prepared.map_err(|error| FileError::of(file, &DynoxideError::SqliteError(error)))?;
        Ok(Self::over(storage))
    }

    /// An engine over a database in memory.
    pub(super) fn memory() -> Result<Self, DynoxideError> {
        Storage::memory().map(Self::over)
    }

    fn over(storage: Storage) -> Self {
        storage.conn().set_prepared_statement_cache_capacity(STATEMENTS);
        Self { storage, vectors: VectorIndexLifecycle::new(), tokens: Tokens::default() }
    }

    /// Runs a transaction, whatever its token.
    pub(super) fn transact(
        &self,
        request: TransactWriteItemsRequest,
    ) -> Result<actions::transact_write_items::TransactWriteItemsResponse, DynoxideError> {
        now(actions::transact_write_items::execute(&self.storage, request))
    }
}

/// The result of an action. Over SQLite in this process it is done when it is first polled.
pub(super) fn now<T>(action: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, DynoxideError> {
    let unfinished = || DynoxideError::InternalServerError("an action was not done at once".to_owned());
    action.now_or_never().unwrap_or_else(|| Err(unfinished()))
}
