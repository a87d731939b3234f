//! The DynamoDB table. The module of each entity owns its keys, its item and its access patterns.
//!
//! `docs/data-model.md` lists the keys of every item, and gives the reasons for them.
//!
//! `read`, `write`, `batch` and `transaction` send all requests, so the table's name and the SDK's builders are there
//! only. Every read is strongly consistent.
//!
//! A kind that is listed as a whole is spread over [`SHARDS`] partitions, its shards; jobs are spread over
//! [`JOB_SHARDS`]. A hash of the id that leads the sort key picks the shard, or the number there does. A list reads all
//! shards in parallel, and no partition takes more than its share of the writes. Connections lie behind their session,
//! so one query reads both. Numbers in keys have 20 digits, so that they sort.
//!
//! `expiresAt` (seconds) is the table's TTL attribute. DynamoDB deletes late, so every reader compares the time itself.

mod api_token;
mod archive;
mod attempts;
mod backoff;
mod batch;
mod booking;
mod capacity;
mod client;
mod contact;
mod device;
mod error;
mod event;
mod feed;
mod former;
mod guesses;
mod job;
mod live;
mod media_session;
mod message;
mod password;
mod read;
mod record;
mod room;
mod sequence;
mod settings;
mod transaction;
mod user;
mod visible;
mod work;
mod write;

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use greenroom_core::{config::Timing, id::random_bytes};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

pub use self::{
    api_token::NameTaken,
    archive::ArchiveWindow,
    capacity::Metering,
    client::client,
    contact::Pair,
    device::Refreshed,
    error::StoreError,
    event::Ended,
    feed::{Credential, Feed, Listener, News},
    job::{Begun, ClaimedJob, DueJobs, JOB_SHARDS, JobKey},
    live::{
        Admitted, Cut, Found, LedgerEntry, Listed, Missing, OpenRoom, Opening, RoomNoted, RoomStanding, RoomTold,
        Scope, Terminated, Terminating, Told,
    },
    media_session::{Closed, Inserted, Unknown},
    password::{NotSet, Replacing},
    record::{Conflict, Kind, Next, Page, Parent, Record, Selection, Stored, Unique, Window},
    room::RoomSign,
    settings::{CredentialUse, Settings},
    work::{Tools, Worked},
};
use self::{backoff::Lines, record::SpreadLists, sequence::Given, write::Write};

/// An item's attributes by their names.
pub type Attributes = HashMap<String, AttributeValue>;

/// The number of partitions that a kind listed as a whole is spread over. It is part of the keys, so a table keeps it
/// for life.
pub const SHARDS: u8 = 16;

/// The access patterns over one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    settings: Arc<OnceCell<Settings>>,
    spread: SpreadLists,
    lines: Lines,
    given: Given,
    contention: Duration,
}

impl Store {
    /// The access patterns over the table of this name.
    #[must_use]
    pub fn new(client: Client, table: &str) -> Self {
        Self {
            client,
            table: table.into(),
            settings: Arc::default(),
            spread: SpreadLists::default(),
            lines: Lines::default(),
            given: Given::default(),
            contention: Timing::default().contention,
        }
    }

    /// The same access patterns, with another limit on how long a write waits for other writes to its item.
    #[must_use]
    pub fn contending_for(self, contention: Duration) -> Self {
        Self { contention, ..self }
    }

    /// The same access patterns through another client. Both share what either learns of the table.
    #[must_use]
    pub fn through(&self, client: Client) -> Self {
        Self { client, ..self.clone() }
    }
}

/// A random duration between `least` and `most`.
fn between(least: Duration, most: Duration) -> Duration {
    let jitter = u16::from_be_bytes(random_bytes());
    least + most.saturating_sub(least) * u32::from(jitter) / u32::from(u16::MAX)
}

/// The primary key of an item.
#[derive(Clone, Serialize)]
struct Key {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
}

impl Key {
    /// The key as one text, which no other item has.
    fn name(&self) -> String {
        format!("{} {}", self.pk, self.sk)
    }

    fn attributes(self) -> Attributes {
        [("PK".to_owned(), AttributeValue::S(self.pk)), ("SK".to_owned(), AttributeValue::S(self.sk))].into()
    }
}

/// An item as it lies in the table: its key and type, then the entity.
#[derive(Serialize)]
struct Item<'a, T> {
    #[serde(flatten)]
    key: Key,
    #[serde(rename = "Type")]
    kind: &'static str,
    #[serde(flatten)]
    entity: &'a T,
}

impl<T: Serialize> Item<'_, T> {
    fn attributes(self) -> Result<Attributes, StoreError> {
        Ok(serde_dynamo::to_item(self)?)
    }

    /// The write that puts the item.
    fn put(self) -> Result<Write, StoreError> {
        Ok(Write::put(self.attributes()?))
    }
}

/// The shard of an id.
fn shard(id: &str) -> u8 {
    Sha256::digest(id.as_bytes())[0] % SHARDS
}

#[expect(clippy::needless_pass_by_value, reason = "numbers are copied")]
fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}
