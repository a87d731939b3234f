//! The answers of a store that refuses a request or fails.

use serde_json::{Value, json};

use super::wire::{Answer, Request};

/// The codes with which `DynamoDB` throttles requests.
const THROTTLED: [&str; 3] = ["ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"];
/// The codes of internal errors of `DynamoDB`, and of errors common to AWS.
const BROKEN: [(u16, &str); 3] =
    [(500, "InternalServerError"), (500, "InternalFailure"), (503, "ServiceUnavailableException")];

/// Throttling, with one of the codes for it.
pub(super) fn throttled(request: &Request, chance: u64) -> Answer {
    let which = usize::try_from(chance % 4).unwrap_or(0);
    match (&*request.operation, THROTTLED.get(which)) {
        (_, Some(code)) => Answer::error(400, code, &Value::Null),
        ("TransactWriteItems", None) => cancelled(request, "ThrottlingError"),
        (_, None) => Answer::error(400, THROTTLED[0], &Value::Null),
    }
}

/// A conflict with a transaction on the items of a write. `None` for a read.
pub(super) fn conflicted(request: &Request) -> Option<Answer> {
    match &*request.operation {
        "TransactWriteItems" => Some(cancelled(request, "TransactionConflict")),
        _ if request.writes_one() => Some(Answer::error(400, "TransactionConflictException", &Value::Null)),
        _ => None,
    }
}

/// The answer to a transaction that was cancelled because of its last item.
fn cancelled(request: &Request, code: &str) -> Answer {
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let items = asked["TransactItems"].as_array().map_or(1, Vec::len);
    let reasons: Vec<_> =
        (1..=items).map(|item| json!({ "Code": if item == items { code } else { "None" } })).collect();
    Answer::error(400, "TransactionCanceledException", &json!({ "CancellationReasons": reasons }))
}

/// An error of the store, with one of the codes for it.
pub(super) fn broken(chance: u64) -> Answer {
    let (status, code) = BROKEN[usize::try_from(chance % 3).unwrap_or(0)];
    Answer::error(status, code, &Value::Null)
}

/// The page of a proxy in between.
pub(super) fn unavailable() -> Answer {
    let page = "<html><body><h1>503 Service Unavailable</h1></body></html>";
    Answer { status: 503, content_type: "text/html".to_owned(), body: page.as_bytes().to_vec() }
}
