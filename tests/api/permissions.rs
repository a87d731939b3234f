//! Who may do what: the table of `docs/apis/events-api.md`, walked over every role, endpoint and ownership, and what
//! stands below it. The expectations are written down here once more, and not taken from the code.

mod events;
mod invariants;
mod sentences;
mod users;

use axum::http::StatusCode;
use serde_json::{Value, json};
use shared::model::user::Role;

use crate::support::{Answer, Caller};

/// The order of a table's lines.
const ROLES: [Role; 3] = [Role::Admin, Role::Partner, Role::Manager];
/// A number that nothing has.
const NOBODY: u64 = 99_999;

/// A request with JSON; the answer says what its status means.
async fn ask(caller: &Caller<'_>, method: &str, path: &str, body: &Value) -> u16 {
    let headers = [("content-type", "application/json")];
    let answer = caller.send(method, path, &headers, body.to_string().into()).await;
    assert_says_why(&answer);
    answer.status.as_u16()
}

fn assert_says_why(answer: &Answer) {
    match answer.status {
        StatusCode::FORBIDDEN => assert_eq!(answer.body, forbidden()),
        StatusCode::NOT_FOUND => assert_eq!(answer.body, json!({ "detail": "Not found." })),
        StatusCode::NO_CONTENT => assert!(answer.body.is_null()),
        _ => {}
    }
}

fn forbidden() -> Value {
    json!({ "detail": "You do not have permission to perform this action." })
}
