//! The live connections of streams.
//!
//! A hash of its name puts each connection of an application into a shard, there behind its stream. So a stream that
//! everybody joins in the same minute makes no hot partition, and 16 parallel requests list a stream or an application.
//! One item holds the state of a name, and is changed on condition of its revision. A change that also concerns the
//! ledger or a job is one transaction with the same condition.

mod admission;
mod change;
mod clear;
mod known;
mod ledger;
mod list;
mod page;
mod peer;
mod provider;
mod room;
mod standing;
mod stream;
mod terminate;

use futures_util::future::join_all;
use greenroom_core::{
    clock::Timestamp,
    id::ConnectionName,
    model::live::{LiveConnection, Stream},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

pub use self::{
    admission::{Admitted, Opening},
    known::Missing,
    ledger::LedgerEntry,
    list::Listed,
    page::{Found, Scope},
    provider::Told,
    room::{OpenRoom, RoomNoted, RoomTold},
    standing::RoomStanding,
    terminate::{Cut, Terminated, Terminating},
};
pub(super) use self::{
    ledger::{ledger_change, ledger_put},
    terminate::removal_from_room,
};
use super::{
    Item, Key, SHARDS, Store, StoreError,
    batch::{batches, delete, put},
    shard,
};

/// The longest partition key and the longest sort key, in bytes.
const KEY_MAX: [usize; 2] = [2048, 1024];
/// The characters that join the parts of a key. They are escaped inside the parts.
const JOINTS: &AsciiSet = &CONTROLS.add(b'/').add(b'%').add(b'#');

/// Escapes a part of a key.
fn part(text: &str) -> String {
    utf8_percent_encode(text, JOINTS).to_string()
}

/// A stream as one text for keys. No two streams have the same text.
fn spelt(stream: &Stream) -> String {
    let Stream { vhost, app, stream } = stream;
    format!("{}/{}/{}/{vhost}{app}{stream}", vhost.len(), app.len(), stream.len())
}

/// The partition of a shard of an application.
fn partition(vhost: &str, app: &str, shard: u8) -> String {
    format!("LIVE#{}/{}#{shard}", part(vhost), part(app))
}

/// The prefix of the sort keys of a stream's connections.
fn prefix(stream: &str) -> String {
    format!("{}/", part(stream))
}

/// The prefix of the sort keys of a stream's publishers.
fn publishers(stream: &str) -> String {
    format!("{}#", prefix(stream))
}

/// The key of a connection. `None` if its names are too long for a key, so there is no such connection.
fn key(stream: &Stream, name: &ConnectionName, publishes: bool) -> Option<Key> {
    let before = if publishes { publishers(&stream.stream) } else { prefix(&stream.stream) };
    let pk = partition(&stream.vhost, &stream.app, shard(name.as_str()));
    fitting(Key { pk, sk: format!("{before}{}", part(name.as_str())) })
}

/// The key of a connection that is no publisher.
pub(super) fn live_key(stream: &Stream, name: &ConnectionName) -> Option<Key> {
    key(stream, name, false)
}

fn fitting(key: Key) -> Option<Key> {
    (key.pk.len() <= KEY_MAX[0] && key.sk.len() <= KEY_MAX[1]).then_some(key)
}

fn key_of(connection: &LiveConnection) -> Result<Key, StoreError> {
    let key = key(&connection.stream, &connection.name, connection.is_publisher());
    key.ok_or_else(|| StoreError::Refused("a name is too long".to_owned()))
}

impl Store {
    /// Whether a connection with these names fits into its key and the key of its ledger entry.
    #[must_use]
    pub fn takes_names(stream: &Stream, name: &ConnectionName) -> bool {
        key(stream, name, true).is_some() && ledger::key(stream, name, Timestamp::from_millis(0)).is_some()
    }

    /// The connection under a name, live or ended.
    pub async fn live_connection(
        &self,
        stream: &Stream,
        name: &ConnectionName,
    ) -> Result<Option<LiveConnection>, StoreError> {
        match key(stream, name, false) {
            Some(key) => self.item(key).await,
            None => Ok(None),
        }
    }

    /// Adds live connections. One request for every 25 of them. If one fails, the others are deleted again.
    pub async fn insert_live_connections(&self, connections: &[LiveConnection]) -> Result<(), StoreError> {
        let puts = connections.iter().map(|connection| put(live_item(connection)?.attributes()?));
        let puts = puts.collect::<Result<Vec<_>, StoreError>>()?;
        let written = self.write_all(puts).await;
        if written.is_err() {
            // A connection that stays all the same ends with its token, which nobody was given.
            let deletes = connections.iter().map(|connection| delete(key_of(connection)?.attributes()));
            let deletes = deletes.collect::<Result<Vec<_>, StoreError>>()?;
            join_all(batches(deletes).map(|batch| self.write_batch(batch))).await;
        }
        written
    }
}

fn live_item(connection: &LiveConnection) -> Result<Item<'_, LiveConnection>, StoreError> {
    Ok(Item { key: key_of(connection)?, kind: "LiveConnection", entity: connection })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(vhost: &str, app: &str, stream: &str, name: &str) -> Option<String> {
        let stream = Stream { vhost: vhost.to_owned(), app: app.to_owned(), stream: stream.to_owned() };
        let key = key(&stream, &ConnectionName::parse(name)?, false)?;
        Some(format!("{} {}", key.pk.rsplit_once('#')?.0, key.sk))
    }

    #[test]
    fn no_two_names_share_a_key() {
        assert_eq!(at("default", "a", "s", "n").unwrap(), "LIVE#default/a s/n");
        assert_ne!(at("default", "a/b", "s", "n"), at("default/a", "b", "s", "n"));
        assert_ne!(at("default", "a", "s/x", "n"), at("default", "a", "s", "x/n"));
        assert_ne!(at("default", "a", "s", "#n"), Some(format!("LIVE#default/a {}n", publishers("s"))));
        assert_ne!(at("default", "a%2F", "s", "n"), at("default", "a/", "s", "n"));
    }

    #[test]
    fn what_is_too_long_for_a_key_is_not_there() {
        assert!(at("default", "a", &"s".repeat(1000), "n").is_some());
        assert!(at("default", "a", &"s".repeat(1024), "n").is_none());
        assert!(at("default", &"#".repeat(700), "s", "n").is_none());
    }
}
