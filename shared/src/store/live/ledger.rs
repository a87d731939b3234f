//! The ledger: for how long who was where, and how it ended, for people to read.
//!
//! An entry lies under its end, so that those that are over are read newest first. A connection whose participant is
//! there has one under the end of its right, where it is found if nobody writes another; who ends it before moves it.

use std::time::Duration;

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use super::{SHARDS, fitting, part, shard};
use crate::{
    clock::{Timestamp, seconds},
    id::ConnectionName,
    model::{
        connection::ServerData,
        live::{Client, EndReason, EndedBy, LiveConnection, Source, Stream},
        login_token::StreamRole,
    },
    store::{Attributes, Item, Key, Store, StoreError},
};

/// How long an entry is kept after its end.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// One connection that is over, or will be by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// The connection's name.
    pub name: ConnectionName,
    /// Where it was.
    #[serde(flatten)]
    pub stream: Stream,
    /// What its participant could do.
    pub role: StreamRole,
    /// The number of the login token that it was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_token: Option<u64>,
    /// What a back-end attached to its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ServerData>,
    /// Who was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// When its token was issued, or it was admitted.
    pub created_at: Timestamp,
    /// When its participant came, as far as we were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub reason: EndReason,
    /// Who ended it; nothing is known of those that ended before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

impl LedgerEntry {
    /// What is to be said of a connection once it is over.
    #[must_use]
    pub fn of(connection: &LiveConnection) -> Self {
        let LiveConnection { name, stream, role, source, login_token, data, .. } = connection.clone();
        let LiveConnection { created_at, connected_at, ended, .. } = connection.clone();
        let client = match source {
            Source::Admission(client) => Some(client),
            Source::Event { .. } | Source::Media => None,
        };
        let ended_at = connection.end_at();
        let (reason, ended_by) = match (ended, &connection.ending) {
            (Some(end), _) => (end.reason, end.by),
            // By then its media server has cut it off.
            (None, Some(ending)) => (EndReason::TERMINATED, Some(ending.who)),
            (None, None) => (EndReason::EXPIRED, Some(EndedBy::EXPIRY)),
        };
        Self {
            name,
            stream,
            role,
            login_token,
            data,
            client,
            created_at,
            connected_at,
            ended_at,
            reason,
            ended_by,
            expires_at: ended_at + KEPT,
        }
    }

    /// Whether it is still to be read.
    pub(super) fn is_kept(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    fn key(&self) -> Option<Key> {
        key(&self.stream, &self.name, self.ended_at)
    }
}

/// Where the entry of a connection lies that ended at this instant; `None` where its names are too long.
pub(super) fn key(stream: &Stream, name: &ConnectionName, end: Timestamp) -> Option<Key> {
    let Stream { vhost, app, stream } = stream;
    let pk = partition(vhost, app, shard(name.as_str()));
    fitting(Key { pk, sk: format!("{}{}/{}", from(end), part(stream), part(name.as_str())) })
}

/// The partition of a shard of an application's ledger.
pub(super) fn partition(vhost: &str, app: &str, shard: u8) -> String {
    format!("LEDGER#{}/{}#{shard}", part(vhost), part(app))
}

/// All partitions of an application's ledger.
pub(super) fn partitions(vhost: &str, app: &str) -> impl Iterator<Item = String> {
    (0..SHARDS).map(move |shard| partition(vhost, app, shard))
}

/// How the sort keys begin of what ends at this instant, in the order of the ends.
pub(super) fn from(end: Timestamp) -> String {
    format!("{:015}/", end.millis().max(0))
}

/// The entry that there is of a connection while it is live.
fn planned(connection: &LiveConnection, now: Timestamp) -> Option<LedgerEntry> {
    let written = connection.is_live(now) && connection.connected_at.is_some() && !connection.is_publisher();
    written.then(|| LedgerEntry::of(connection))
}

/// Whether the token of a connection that was over was terminated since.
fn is_news(before: Option<&LiveConnection>, after: &LiveConnection) -> bool {
    let is_token = matches!(after.source, Source::Event { .. });
    is_token && after.is_terminated() && before.is_some_and(|before| !before.is_terminated())
}

/// Whether there is something to be said of somebody who has gone: not of a publisher, nor of whom a media server was
/// told not to let in.
fn was_there(ended: &LiveConnection) -> bool {
    !ended.is_publisher() && (!ended.is_viewer() || ended.opened_at.is_some())
}

/// Where an entry has to go, and the one that has to come, for a connection that becomes another.
fn moves(
    before: Option<&LiveConnection>,
    after: &LiveConnection,
    now: Timestamp,
) -> (Option<LedgerEntry>, Option<LedgerEntry>) {
    let old = before.and_then(|before| planned(before, now));
    let was_live = before.is_none_or(|before| before.is_live(now));
    let new = match &after.ended {
        None => planned(after, now),
        // One that was not there before did not end now; of a publisher nothing is said. Whose client had gone, and who was
        // terminated then, ended so.
        Some(_) if (was_live && before.is_some() || is_news(before, after)) && was_there(after) => {
            Some(LedgerEntry::of(after))
        }
        Some(_) => None,
    };
    if old == new { (None, None) } else { (old, new) }
}

impl Store {
    /// The ledger's part of a change.
    pub(super) fn ledger_change(
        &self,
        before: Option<&LiveConnection>,
        after: &LiveConnection,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let (old, new) = moves(before, after, now);
        let (old, new) =
            (old.and_then(|entry| entry.key()), new.map(|entry| ledger_item(&entry)).transpose()?.flatten());
        let mut writes = Vec::new();
        if let Some(key) = old.filter(|old| !new.as_ref().is_some_and(|new| is_at(new, old))) {
            let delete = Delete::builder().table_name(&*self.table).set_key(Some(key.attributes())).build()?;
            writes.push(TransactWriteItem::builder().delete(delete).build());
        }
        if let Some(item) = new {
            let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        Ok(writes)
    }

    /// The ledger's part of the end of a connection that had none before.
    pub(in crate::store) fn ledger_put(&self, ended: &LiveConnection) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some(item) = ledger_item(&LedgerEntry::of(ended))? else { return Ok(None) };
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(Some(TransactWriteItem::builder().put(put).build()))
    }
}

/// What of a connection's entry has to go, and what has to come, where it ends.
pub(super) fn end(
    before: &LiveConnection,
    after: &LiveConnection,
    now: Timestamp,
) -> Result<(Option<Key>, Option<Attributes>), StoreError> {
    let (old, new) = moves(Some(before), after, now);
    Ok((old.and_then(|entry| entry.key()), new.map(|entry| ledger_item(&entry)).transpose()?.flatten()))
}

fn is_at(item: &Attributes, key: &Key) -> bool {
    let is = |name: &str, value: &str| {
        item.get(name).and_then(|found| found.as_s().ok()).is_some_and(|found| found == value)
    };
    is("PK", &key.pk) && is("SK", &key.sk)
}

/// An entry's item; `None` where its names are too long, as those of no connection are that can be kept.
fn ledger_item(entry: &LedgerEntry) -> Result<Option<Attributes>, StoreError> {
    entry.key().map(|key| Item { key, kind: "LedgerEntry", entity: entry }.attributes()).transpose()
}
