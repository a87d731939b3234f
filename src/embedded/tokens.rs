//! Idempotent transactions. If an answer was lost, the same transaction is sent again: it gets the first answer again,
//! and nothing is written.

use std::{
    cell::RefCell,
    collections::HashMap,
    time::{Duration, Instant},
};

use dynoxide::DynoxideError;
use serde_json::{Value, json};

/// How long DynamoDB recognises a transaction by its token.
const KNOWN: Duration = Duration::from_mins(10);

/// The transactions of the last minutes, by operation and token.
#[derive(Default)]
pub(super) struct Tokens(RefCell<HashMap<(String, String), Done>>);

/// A transaction's request and answer, and its time.
struct Done {
    at: Instant,
    asked: Value,
    answer: String,
}

impl Tokens {
    /// Runs a transaction unless it has been run under its token. One without a token always runs. A failed one leaves
    /// no trace, so it may be tried again.
    pub(super) fn once(
        &self,
        operation: &str,
        body: &[u8],
        run: impl FnOnce() -> Result<String, DynoxideError>,
    ) -> Result<String, DynoxideError> {
        let what = match operation {
            "TransactWriteItems" => "TransactItems",
            "ExecuteTransaction" => "TransactStatements",
            _ => return run(),
        };
        let mut request = parts(body);
        let Some(token) = request["ClientRequestToken"].as_str() else { return run() };
        let key = (operation.to_owned(), token.to_owned());
        let asked = request[what].take();
        self.0.borrow_mut().retain(|_, done| done.at.elapsed() < KNOWN);
        if let Some(done) = self.0.borrow().get(&key) {
            return if done.asked == asked { Ok(read_again(&done.answer)) } else { Err(mismatch()) };
        }
        let answer = run()?;
        self.0.borrow_mut().insert(key, Done { at: Instant::now(), asked, answer: answer.clone() });
        Ok(answer)
    }
}

fn mismatch() -> DynoxideError {
    let message = "An error occurred (IdempotentParameterMismatchException)";
    DynoxideError::IdempotentParameterMismatchException(message.to_owned())
}

/// The answer to a repeated transaction. It reports read units in place of write units.
fn read_again(answer: &str) -> String {
    let mut answer = parts(answer.as_bytes());
    for consumed in answer["ConsumedCapacity"].as_array_mut().into_iter().flatten() {
        let units = &consumed["CapacityUnits"];
        *consumed = json!({ "TableName": consumed["TableName"], "CapacityUnits": units, "ReadCapacityUnits": units });
    }
    answer.to_string()
}

/// A body's JSON.
fn parts(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tokens: &Tokens, item: &str, runs: &mut u32) -> Result<String, DynoxideError> {
        let body = json!({ "ClientRequestToken": "t", "TransactItems": [item] }).to_string();
        tokens.once("TransactWriteItems", body.as_bytes(), || {
            *runs += 1;
            Ok(json!({ "ConsumedCapacity": [{ "TableName": "t", "CapacityUnits": 4.0 }] }).to_string())
        })
    }

    #[test]
    fn a_transaction_is_run_once_under_its_token() {
        let (tokens, mut runs) = (Tokens::default(), 0);
        run(&tokens, "a", &mut runs).unwrap();
        let again = run(&tokens, "a", &mut runs).unwrap();
        assert_eq!(runs, 1);
        assert_eq!(parts(again.as_bytes())["ConsumedCapacity"][0]["ReadCapacityUnits"], 4.0);
        assert!(run(&tokens, "another", &mut runs).is_err());
    }

    #[test]
    fn a_transaction_that_failed_may_be_tried_again() {
        let (tokens, mut runs) = (Tokens::default(), 0);
        let body = json!({ "ClientRequestToken": "t", "TransactItems": ["a"] }).to_string();
        let failed = || Err(DynoxideError::InternalServerError("full".to_owned()));
        tokens.once("TransactWriteItems", body.as_bytes(), failed).unwrap_err();
        run(&tokens, "a", &mut runs).unwrap();
        assert_eq!(runs, 1);
    }
}
