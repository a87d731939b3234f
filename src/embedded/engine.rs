//! The engine that runs operations: dynoxide over one connection to SQLite, by DynamoDB's protocol or with its types.

use std::path::Path;

use dynoxide::{
    DynoxideError,
    actions::{self, transact_write_items::TransactWriteItemsRequest, vector_lifecycle::VectorIndexLifecycle},
    storage::Storage,
};
use futures_util::FutureExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{batch, file::FileError, tokens::Tokens};

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
    vectors: VectorIndexLifecycle,
    tokens: Tokens,
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

    /// The answer to an operation: a status, and a body in DynamoDB's protocol. `keeps_tokens` says whether a
    /// transaction that is sent twice is recognised by its token.
    pub(super) fn respond(&self, operation: &str, body: &[u8], keeps_tokens: bool) -> (u16, String) {
        let answer = if keeps_tokens {
            self.tokens.once(operation, body, || self.answer(operation, body))
        } else {
            self.answer(operation, body)
        };
        answer.map_or_else(|error| (error.status_code(), error.to_json()), |body| (200, body))
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let storage = &self.storage;
        macro_rules! run {
            ($action:ident $(, $more:expr)*) => {
                call(body, |request| now(actions::$action::execute(storage, request $(, $more)*)))
            };
        }
        match operation {
            "CreateTable" => run!(create_table),
            "DescribeTable" => run!(describe_table, &self.vectors),
            "DescribeTimeToLive" => run!(describe_time_to_live),
            "UpdateTimeToLive" => run!(update_time_to_live),
            "PutItem" => run!(put_item),
            "GetItem" => run!(get_item),
            "UpdateItem" => run!(update_item),
            "DeleteItem" => run!(delete_item),
            "BatchGetItem" => run!(batch_get_item),
            "BatchWriteItem" => call(body, |request| batch::write(self, request)),
            "Query" => run!(query),
            "Scan" => run!(scan),
            "TransactGetItems" => run!(transact_get_items),
            "TransactWriteItems" => call(body, |request| self.transact(request)),
            "ListTables" => run!(list_tables),
            "UpdateTable" => run!(update_table, &self.vectors),
            "DeleteTable" => run!(delete_table, &self.vectors),
            "ExecuteStatement" => run!(execute_statement),
            "BatchExecuteStatement" => run!(batch_execute_statement),
            "ExecuteTransaction" => run!(execute_transaction),
            other => Err(DynoxideError::ValidationException(format!("{other} is not served"))),
        }
    }

    /// Runs a transaction, whatever its token.
    pub(super) fn transact(
        &self,
        request: TransactWriteItemsRequest,
    ) -> Result<actions::transact_write_items::TransactWriteItemsResponse, DynoxideError> {
        now(actions::transact_write_items::execute(&self.storage, request))
    }
}

/// Whether an operation of this name only reads.
pub(super) fn only_reads(operation: &str) -> bool {
    matches!(operation, "Query" | "Scan" | "BatchGetItem" | "GetItem" | "TransactGetItems")
        || operation.starts_with("Describe")
        || operation.starts_with("List")
}

/// The result of an action. Over SQLite in this process it is done when it is first polled.
pub(super) fn now<T>(action: impl Future<Output = Result<T, DynoxideError>>) -> Result<T, DynoxideError> {
    let unfinished = || DynoxideError::InternalServerError("an action was not done at once".to_owned());
    action.now_or_never().unwrap_or_else(|| Err(unfinished()))
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request =
        serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()));
    let answer = operation(request?)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}

/// A body's JSON.
pub(super) fn parts(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}
