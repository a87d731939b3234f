//! Permissions: the table of `docs/apis/events-api.md`, for every role, endpoint and owner, and the rules below the
//! table. The expectations are written down here again, not taken from the code.

mod events;
mod invariants;
mod sentences;
mod users;

use axum::http::StatusCode;
use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use crate::support::{Answer, Caller};

/// The order of the columns in a line of the table.
const ROLES: [Role; 3] = [Role::Admin, Role::Partner, Role::Manager];
/// A number that does not exist.
const NOBODY: u64 = 99_999;

/// Sends a request with JSON and checks that the answer explains its status.
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
