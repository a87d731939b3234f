//! Sequences, which give integer ids in turn.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use aws_sdk_dynamodb::types::ReturnValue;
use serde::Deserialize;

use super::{Attributes, Key, Kind, Store, StoreError, n, s, write::Write};

/// The things that have numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// The records of a kind.
    Of(Kind),
    /// Static API tokens.
    ApiToken,
}

impl Sequence {
    fn name(self) -> &'static str {
        match self {
            Self::Of(kind) => kind.name(),
            Self::ApiToken => "api-token",
        }
    }

    pub(super) fn key(self) -> Key {
        Key { pk: format!("COUNTER#{}", self.name()), sk: "COUNTER".to_owned() }
    }

    /// The index of this sequence in [`Given`].
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

/// The item of a sequence.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(super) struct SequenceItem {
    /// The last number that the sequence gave.
    pub(super) number: u64,
    #[serde(default)]
    placed: u64,
}

impl SequenceItem {
    /// Whether everything that has one of the numbers also lies under its number.
    pub(super) fn all_placed(self) -> bool {
        self.placed == self.number
    }
}

/// The last number of each sequence that this process knows of. A sequence never goes back, so it has given at least
/// as many.
#[derive(Clone, Debug, Default)]
pub(super) struct Given(Arc<[AtomicU64; 5]>);

impl Given {
    /// The last number that this process knows of; 0 if it knows of none.
    pub(super) fn of(&self, sequence: Sequence) -> u64 {
        self.0[sequence.place()].load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, sequence: Sequence, number: u64) {
        self.0[sequence.place()].fetch_max(number, Ordering::Relaxed);
    }
}

impl Store {
    /// The next number of this sequence; the first is 1. A number is given once, and may be left unused.
    pub(super) async fn next_number(&self, sequence: Sequence) -> Result<u64, StoreError> {
        let adding = Write::update(sequence.key(), sequence.adding())
            .name("#type", "Type")
            .name("#number", "number")
            .value(":type", s("Counter"))
            .value(":one", n(1))
            .returning(ReturnValue::UpdatedNew);
        let added = self.write(adding).await?.unwrap_or_default();
        let number = added.get("number").and_then(|number| number.as_n().ok()?.parse().ok());
        let number = number.ok_or(StoreError::Contended)?;
        self.given.note(sequence, number);
        Ok(number)
    }

    /// Takes the sequence's item out of the items of a batch that asked for it.
    pub(super) fn said_by(&self, sequence: Sequence, items: &mut Vec<Attributes>) -> Result<SequenceItem, StoreError> {
        let partition = s(sequence.key().pk);
        let said = match items.iter().position(|item| item.get("PK") == Some(&partition)) {
            Some(at) => serde_dynamo::from_item(items.swap_remove(at))?,
            // The sequence has never given a number.
            None => SequenceItem::default(),
        };
        self.given.note(sequence, said.number);
        Ok(said)
    }
}
