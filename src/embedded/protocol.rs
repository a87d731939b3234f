//! Operations in DynamoDB's protocol: JSON in, JSON out.

use dynoxide::{DynoxideError, actions};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    batch,
    engine::{Engine, now},
};

/// The answer to an operation: a status, and a body in DynamoDB's protocol. `keeps_tokens` says whether a
/// transaction that is sent twice is recognised by its token.
pub(super) fn respond(engine: &Engine, operation: &str, body: &[u8], keeps_tokens: bool) -> (u16, String) {
    let answer = if keeps_tokens {
        engine.tokens.once(operation, body, || answer(engine, operation, body))
    } else {
        answer(engine, operation, body)
    };
    answer.map_or_else(|error| (error.status_code(), error.to_json()), |body| (200, body))
}

fn answer(engine: &Engine, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    let storage = &engine.storage;
    macro_rules! run {
        ($action:ident $(, $more:expr)*) => {
            call(body, |request| now(actions::$action::execute(storage, request $(, $more)*)))
        };
    }
    match operation {
        "CreateTable" => run!(create_table),
        "DescribeTable" => run!(describe_table, &engine.vectors),
        "DescribeTimeToLive" => run!(describe_time_to_live),
        "UpdateTimeToLive" => run!(update_time_to_live),
        "PutItem" => run!(put_item),
        "GetItem" => run!(get_item),
        "UpdateItem" => run!(update_item),
        "DeleteItem" => run!(delete_item),
        "BatchGetItem" => run!(batch_get_item),
        "BatchWriteItem" => call(body, |request| batch::write(engine, request)),
        "Query" => run!(query),
        "Scan" => run!(scan),
        "TransactGetItems" => run!(transact_get_items),
        "TransactWriteItems" => call(body, |request| engine.transact(request)),
        "ListTables" => run!(list_tables),
        "UpdateTable" => run!(update_table, &engine.vectors),
        "DeleteTable" => run!(delete_table, &engine.vectors),
        "ExecuteStatement" => run!(execute_statement),
        "BatchExecuteStatement" => run!(batch_execute_statement),
        "ExecuteTransaction" => run!(execute_transaction),
        other => Err(DynoxideError::ValidationException(format!("{other} is not served"))),
    }
}

/// Whether an operation of this name only reads.
pub(super) fn only_reads(operation: &str) -> bool {
    matches!(operation, "Query" | "Scan" | "BatchGetItem" | "GetItem" | "TransactGetItems")
        || operation.starts_with("Describe")
        || operation.starts_with("List")
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
