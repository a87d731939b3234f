//! Counters, which give integer ids.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde::Deserialize;

use super::{Attributes, Key, Kind, Store, StoreError, n, s};

/// The things that have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counter {
    /// The records of a kind.
    Of(Kind),
    /// Static API tokens.
    ApiToken,
}

impl Counter {
    fn name(self) -> &'static str {
        match self {
            Self::Of(kind) => kind.name(),
            Self::ApiToken => "api-token",
        }
    }

    pub(super) fn key(self) -> Key {
        Key { pk: format!("COUNTER#{}", self.name()), sk: "COUNTER".to_owned() }
    }

    /// The index of this counter in [`Given`].
    fn place(self) -> usize {
        match self {
            Self::Of(Kind::User) => 0,
            Self::Of(Kind::Event) => 1,
            Self::Of(Kind::Session) => 2,
            Self::Of(Kind::LoginToken) => 3,
            Self::ApiToken => 4,
        }
    }

    /// The update that gives a new number. The API tokens of earlier versions lie under their hashes only, so `placed`
    /// counts the numbers whose tokens lie under their numbers too.
    fn adding(self) -> &'static str {
        match self {
            Self::Of(_) => "SET #type = :type ADD #number :one",
            Self::ApiToken => "SET #type = :type ADD #number :one, placed :one",
        }
    }
}

/// The item of a counter.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct Counted {
    /// The last number that the counter gave.
    pub(super) number: u64,
    #[serde(default)]
    placed: u64,
}

impl Counted {
    /// Whether everything that has one of the numbers also lies under its number.
    pub(super) fn all_placed(self) -> bool {
        self.placed == self.number
    }
}

/// The last number of each counter that this process knows of. A counter never goes back, so it has given at least as
/// many.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Arc<[AtomicU64; 5]>);

impl Given {
    /// The last number that this process knows of; 0 if it knows of none.
    pub(super) fn of(&self, counter: Counter) -> u64 {
        self.0[counter.place()].load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, counter: Counter, number: u64) {
        self.0[counter.place()].fetch_max(number, Ordering::Relaxed);
    }
}

impl Store {
    /// The next number of this counter; the first is 1. A number is given once, and may be left unused.
    pub(super) async fn next_number(&self, counter: Counter) -> Result<u64, StoreError> {
        let output = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(counter.key().attributes()))
            .update_expression(counter.adding())
            .expression_attribute_names("#type", "Type")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":type", s("Counter"))
            .expression_attribute_values(":one", n(1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
            .send()
            .await?;
        let number =
            output.attributes.as_ref().and_then(|attributes| attributes.get("number")?.as_n().ok()?.parse().ok());
        let number = number.ok_or(StoreError::Contended)?;
        self.given.note(counter, number);
        Ok(number)
    }

    /// Takes the counter's item out of the items of a batch that asked for it.
    pub(super) fn said_by(&self, counter: Counter, items: &mut Vec<Attributes>) -> Result<Counted, StoreError> {
        let partition = s(counter.key().pk);
        let said = match items.iter().position(|item| item.get("PK") == Some(&partition)) {
            Some(at) => serde_dynamo::from_item(items.swap_remove(at))?,
            // The counter has never given a number.
            None => Counted::default(),
        };
        self.given.note(counter, said.number);
        Ok(said)
    }
}
