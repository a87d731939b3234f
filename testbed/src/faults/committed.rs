//! Transactions that the store has committed.
//!
//! `DynamoDB` remembers a committed transaction by its `ClientRequestToken` and answers the same request with success.
//! So a retry after a lost answer never conflicts with another transaction.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use serde::Deserialize;

use super::wire::Request;

/// The tokens of the committed transactions.
#[derive(Default)]
pub(super) struct Committed(Mutex<HashSet<String>>);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transaction {
    client_request_token: String,
}

impl Committed {
    /// Remembers a request that the store has done.
    pub(super) fn note(&self, request: &Request) {
        if let Some(token) = token_of(request) {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token);
        }
    }

    /// Whether this request is a transaction that was committed before.
    pub(super) fn has(&self, request: &Request) -> bool {
        token_of(request).is_some_and(|token| self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&token))
    }
}

fn token_of(request: &Request) -> Option<String> {
    if request.operation != "TransactWriteItems" {
        return None;
    }
    serde_json::from_slice(&request.body).ok().map(|Transaction { client_request_token }| client_request_token)
}
