//! The ledger: who was in which stream, how long, and how it ended. People read it.
//!
//! An entry lies under the time of its end, so that finished connections are read newest first. While the participant
//! is there, the entry lies under the end of their right. If nobody ends the connection earlier, that entry is right as
//! it is. A request that ends the connection earlier moves it.

use std::time::Duration;

use greenroom_core::{
    clock::{Timestamp, seconds},
    id::ConnectionName,
    model::{
        connection::ServerData,
        live::{Client, EndReason, EndedBy, LiveConnection, SessionProvider, Source, Stream},
        login_token::StreamRole,
    },
};
use serde::{Deserialize, Serialize};

use super::{SHARDS, fitting, part, shard};
use crate::{Attributes, Item, Key, StoreError, write::Write};

/// How long an entry is kept after its end.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// One connection that is over, or that will be over at `ended_at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntry {
    /// The connection's name.
    pub name: ConnectionName,
    /// The stream.
    #[serde(flatten)]
    pub stream: Stream,
    /// The role of its participant.
    pub role: StreamRole,
    /// The number of the login token that it was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_token: Option<u64>,
    /// The data that a back-end attached to its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ServerData>,
    /// The media provider of the session that its token was for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<SessionProvider>,
    /// The client that was admitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<Client>,
    /// When its token was issued, or its client was admitted.
    pub created_at: Timestamp,
    /// When its participant came, as far as a media server reported it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Why it ended.
    pub reason: EndReason,
    /// Who ended it. `None` for connections that ended before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

impl LedgerEntry {
    /// The ledger entry of a connection.
    #[must_use]
    pub fn of(connection: &LiveConnection) -> Self {
        let LiveConnection { name, stream, role, source, login_token, data, .. } = connection.clone();
        let LiveConnection { created_at, connected_at, ended, .. } = connection.clone();
        let client = match source {
            Source::Admission(client) => Some(client),
            Source::Event { .. } | Source::Media | Source::MediaRoom { .. } => None,
        };
        let ended_at = connection.end_at();
        let (reason, ended_by) = match (ended, &connection.ending) {
            (Some(end), _) => (end.reason, end.by),
            // The media server has cut the connection off by then.
            (None, Some(ending)) => (EndReason::TERMINATED, Some(ending.who)),
            (None, None) => (EndReason::EXPIRED, Some(EndedBy::EXPIRY)),
        };
        Self {
            name,
            stream,
            role,
            login_token,
            data,
            provider: connection.provider(),
            client,
            created_at,
            connected_at,
            ended_at,
            reason,
            ended_by,
            expires_at: ended_at + KEPT,
        }
    }

    /// Whether the entry is still kept.
    pub(super) fn is_kept(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    fn key(&self) -> Option<Key> {
        key(&self.stream, &self.name, self.ended_at)
    }
}

/// The key of the entry of a connection that ended at this instant. `None` if its names are too long.
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

/// The prefix of the sort keys of entries that end at this instant. Prefixes sort by time.
pub(super) fn from(end: Timestamp) -> String {
    format!("{:015}/", end.millis().max(0))
}

/// The entry that a connection has while it is live.
fn planned(connection: &LiveConnection, now: Timestamp) -> Option<LedgerEntry> {
    let written = connection.is_live(now) && connection.connected_at.is_some() && !connection.is_publisher();
    written.then(|| LedgerEntry::of(connection))
}

/// Whether the token of a connection that was over has been terminated since.
fn is_news(before: Option<&LiveConnection>, after: &LiveConnection) -> bool {
    let is_token = matches!(after.source, Source::Event { .. } | Source::MediaRoom { .. });
    is_token && after.is_terminated() && before.is_some_and(|before| !before.is_terminated())
}

/// Whether an ended connection gets an entry. Publishers get none, and neither does a viewer whom the media server was
/// told not to let in.
fn was_there(ended: &LiveConnection) -> bool {
    !ended.is_publisher() && (!ended.is_viewer() || ended.opened_at.is_some())
}

/// The entry to delete and the entry to put when a connection changes from `before` to `after`.
fn moves(
    before: Option<&LiveConnection>,
    after: &LiveConnection,
    now: Timestamp,
) -> (Option<LedgerEntry>, Option<LedgerEntry>) {
    let old = before.and_then(|before| planned(before, now));
    let was_live = before.is_none_or(|before| before.is_live(now));
    let new = match &after.ended {
        None => planned(after, now),
        // A connection that did not exist before did not end now, and publishers have no entries. A connection whose
        // client had gone gets an entry if it was terminated after that.
        Some(_) if (was_live && before.is_some() || is_news(before, after)) && was_there(after) => {
            Some(LedgerEntry::of(after))
        }
        Some(_) => None,
    };
    if old == new { (None, None) } else { (old, new) }
}

/// The writes of a change to the ledger.
pub(crate) fn ledger_change(
    before: Option<&LiveConnection>,
    after: &LiveConnection,
    now: Timestamp,
) -> Result<impl Iterator<Item = Write>, StoreError> {
    let (old, new) = changed_items(before, after, now)?;
    let old = old.filter(|old| !new.as_ref().is_some_and(|new| is_at(new, old)));
    Ok(old.map(Write::delete).into_iter().chain(new.map(Write::put)))
}

/// The write for the ledger entry of an ended connection that had no entry before.
pub(crate) fn ledger_put(ended: &LiveConnection) -> Result<Option<Write>, StoreError> {
    Ok(ledger_item(&LedgerEntry::of(ended))?.map(Write::put))
}

/// The key to delete and the item to put when a connection changes from `before` to `after`.
pub(super) fn changed_items(
    before: Option<&LiveConnection>,
    after: &LiveConnection,
    now: Timestamp,
) -> Result<(Option<Key>, Option<Attributes>), StoreError> {
    let (old, new) = moves(before, after, now);
    Ok((old.and_then(|entry| entry.key()), new.map(|entry| ledger_item(&entry)).transpose()?.flatten()))
}

fn is_at(item: &Attributes, key: &Key) -> bool {
    let is = |name: &str, value: &str| {
        item.get(name).and_then(|found| found.as_s().ok()).is_some_and(|found| found == value)
    };
    is("PK", &key.pk) && is("SK", &key.sk)
}

/// The item of an entry. `None` if its names are too long; no connection with such names is kept.
fn ledger_item(entry: &LedgerEntry) -> Result<Option<Attributes>, StoreError> {
    entry.key().map(|key| Item { key, kind: "LedgerEntry", entity: entry }.attributes()).transpose()
}
