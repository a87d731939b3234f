//! The table. Each entity's module owns its keys, its item and its access patterns.
//!
//! | Entity               | PK                     | SK                   | read by |
//! |----------------------|------------------------|----------------------|---------|
//! | Device               | `DEVICE#<device id>`   | `DEVICE`             | its id, which its token carries |
//! | Media session        | `MEDIA#<shard>`        | `<session id>/`      | its id; all of them, shard by shard |
//! | Connection           | `MEDIA#<shard>`        | `<session id>/<connection id>` | its session, with it; its id |
//! | User                 | `USERS#<shard>`        | `<number>`           | their number; all of them, shard by shard |
//! | User, again          | `USER#<creator>/USERS` | `<number>`           | who made them |
//! | User, again          | `USERNAME#<sha256>`    | `USERNAME`           | their name in lower case |
//! | Password             | `USER#<number>`        | `PASSWORD`           | its user's number |
//! | Event                | `EVENTS#<shard>`       | `<number>`           | its number; all of them, shard by shard |
//! | Event, again         | `USER#<owner>/EVENTS`  | `<number>`           | its owner |
//! | Event, again         | `EVENTNAME#<sha256>`   | `EVENTNAME`          | its name |
//! | Event session        | `SESSIONS#<shard>`     | `<number>`           | its number; all of them, shard by shard |
//! | Event session, again | `EVENT#<event>/SESSIONS` | `<number>`           | its event |
//! | Event session, again | `FLOOR#<sha256>`       | `FLOOR`              | its event, where it is the floor |
//! | Former session       | `EVENT#<event>/FORMER` | `<number>/<provider's id>` | its event; its session |
//! | Login token          | `LOGINTOKENS#<shard>`  | `<number>`           | its number; all of them, shard by shard |
//! | Login token, again   | `EVENT#<event>/LOGINTOKENS` | `<number>`           | its event |
//! | Login token, again   | `LOGINTOKEN#<sha256>`  | `LOGINTOKEN`         | what is typed in |
//! | Head                 | any list of the above  | `#`                  | its list, with it |
//! | Ended event          | `ENDED`                | `<number>`           | its number; all of them |
//! | Message              | `ARCHIVE#<user>`       | `<milliseconds>`     | its sender or receiver |
//! | Message, again       | `ARCHIVE#<user>/<sha256>` | `<milliseconds>`     | those with one partner |
//! | Archive head         | `ARCHIVE#<user>`       | `#`                  | every new entry of the archive |
//! | Room                 | `ROOM#<sha256>`        | `ROOM`               | its id |
//! | Membership           | `ROOMS#<sha256>`       | `<sha256 of the room>` | its participant's JID, all of theirs; the room, with it |
//! | Memberships' head    | `ROOMS#<sha256>`       | `#`                  | streams: whether a participant's memberships changed |
//! | Room entry           | `ROOMARCHIVE#<archive id>` | `<milliseconds>`     | its room |
//! | Archive head, again  | `ROOMARCHIVE#<archive id>` | `#`                  | every new entry of the room |
//! | Ended room           | `ENDEDROOMS`           | `<milliseconds>/<archive id>` | all of them, by when they ended |
//! | Former user          | `FORMERUSERS`          | `<number>`           | all of whom something is left to be cleared |
//! | Contact              | `ROSTER#<user>`        | `<sha256>`           | the owner of the roster; owner and JID |
//! | Wrong passwords      | `GUESSES#<sha256>`     | `GUESSES`            | account and address, or address |
//! | Live connection      | `LIVE#<vhost>/<app>#<shard>` | `<stream>/<name>`    | its name; its stream, shard by shard; its application's likewise |
//! | Publisher            | `LIVE#<vhost>/<app>#<shard>` | `<stream>/#<name>`   | its name; its stream, with the connections |
//! | Provider's connection | `LIVE#<vhost>/<app>#<shard>` | `<stream>#<name>/<provider's id>` | its id; its name |
//! | Ledger entry         | `LEDGER#<vhost>/<app>#<shard>` | `<end>/<stream>/<name>` | its application, shard by shard, newest first |
//! | Known application    | `APPS`                 | `<vhost>/<app>`      | its name; all of them |
//! | Event session, again | `PROVIDERSESSION#<sha256>` | `PROVIDERSESSION`    | what the provider calls it, or called it before |
//! | API token            | `APITOKENS#<shard>`    | `<sha256>`           | its hash; all of them, shard by shard |
//! | Booking              | `BOOKINGS#<shard>`     | `<booking id>`       | its id; all that are unsent, shard by shard |
//! | Sent booking         | `BOOKING#<booking id>` | `BOOKING`            | its id |
//! | Errand               | `OUTBOX#<shard>`       | `<errand id>`        | its id; all of them, shard by shard |
//! | Counter              | `COUNTER#<name>`       | `COUNTER`            | its name |
//! | Settings             | `SETTINGS`             | `SETTINGS`           | every process, once at its start |
//!
//! A shard is one of [`SHARDS`] partitions, found by hashing the id that leads the sort key, or by the number there: a
//! list over a whole kind reads them all in parallel, and no partition takes more than its share of the writes.
//! Connections lie behind their session, so that one request reads a session whole. Numbers have 20 digits, so that they
//! sort.
//!
//! `expiresAt` (seconds) is the table's TTL attribute. DynamoDB deletes late, so every reader compares the time itself.

mod api_token;
mod archive;
mod batch;
mod booking;
mod client;
mod contact;
mod counter;
mod device;
mod event;
mod feed;
mod former;
mod guesses;
mod live;
mod media_session;
mod message;
mod outbox;
mod record;
mod room;
mod settings;
mod transaction;
mod user;
mod visible;

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_sdk_dynamodb::{Client, types::AttributeValue};
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

pub use self::{
    archive::ArchiveWindow,
    client::{StoreError, client, http_client, reason},
    contact::Pair,
    event::Ended,
    feed::{Feed, Listener, News},
    former::FormerUser,
    live::{Admitted, Found, LedgerEntry, Listed, Missing, Scope, Terminated, Terminating},
    media_session::{Closed, Disconnected},
    outbox::ClaimedErrand,
    record::{Conflict, Kind, Page, Parent, Record, Selection, Stored, Unique, Window},
    user::Removed,
};
use crate::id::{DeviceKey, random_bytes};

/// An item's attributes by their names.
pub type Attributes = HashMap<String, AttributeValue>;

/// How many partitions a list over a whole kind is spread over. Part of the keys: a table keeps it for life.
pub const SHARDS: u8 = 16;

/// How often a write that lost a race is tried again with what the race left behind.
const RACES: usize = 10;

/// The access patterns over one table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: Arc<str>,
    device_key: Arc<OnceCell<DeviceKey>>,
}

impl Store {
    /// The access patterns over the table of this name.
    #[must_use]
    pub fn new(client: Client, table: &str) -> Self {
        Self { client, table: table.into(), device_key: Arc::default() }
    }

    /// One item, as it is now.
    async fn item<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        Ok(self.attributes(key).await?.map(serde_dynamo::from_item).transpose()?)
    }

    /// One item's attributes, as they are now.
    async fn attributes(&self, key: Key) -> Result<Option<Attributes>, StoreError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key.attributes()));
        Ok(get.consistent_read(true).send().await?.item)
    }

    /// All items of a partition from this sort key on, in their order, page by page.
    async fn items_from(&self, pk: &str, first: &str) -> Result<Vec<Attributes>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.key_condition_expression("PK = :pk AND SK >= :first");
        let query = query.expression_attribute_values(":pk", s(pk)).expression_attribute_values(":first", s(first));
        Ok(query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?)
    }

    /// All items of a partition whose sort keys begin so, in their order, page by page.
    async fn items(&self, pk: &str, prefix: &str) -> Result<Vec<Attributes>, StoreError> {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        let query = query.expression_attribute_values(":pk", s(pk));
        // An empty key value is not allowed, and every sort key begins with an empty prefix.
        let query = match prefix {
            "" => query.key_condition_expression("PK = :pk"),
            prefix => query
                .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
                .expression_attribute_values(":prefix", s(prefix)),
        };
        Ok(query.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?)
    }

    /// All items of a whole kind, whose partitions' names are this and a shard's number.
    async fn items_of_kind(&self, kind: &str) -> Result<Vec<Attributes>, StoreError> {
        let shards = (0..SHARDS).map(|shard| async move { self.items(&format!("{kind}#{shard}"), "").await });
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }
}

/// Waits before a lost race is run again, the longer the more were lost: by then the others are done.
async fn pause(lost: usize) {
    let [jitter] = random_bytes::<1>();
    let most = 5_u64 << lost.min(6);
    tokio::time::sleep(Duration::from_millis(most / 2 + most * u64::from(jitter) / 512)).await;
}

/// The primary key of an item.
#[derive(Serialize, Deserialize)]
struct Key {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
}

impl Key {
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
}

/// The shard an id belongs to.
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
