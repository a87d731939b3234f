//! Pages of an application's connections, live or ended, merged from the shards.

use futures_util::future::try_join_all;
use greenroom_core::{
    clock::Timestamp,
    model::live::{DEFAULT_VHOST, LiveConnection, MEDIA_APP, Stream},
};
use serde::de::DeserializeOwned;

use super::{KEY_MAX, LedgerEntry, SHARDS, ledger, part, partition, prefix};
use crate::{Attributes, Store, StoreError};

/// The connections that are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The virtual host.
    pub vhost: String,
    /// The application.
    pub app: String,
    /// The stream, if only one is asked for.
    pub stream: Option<String>,
}

impl Scope {
    /// Whether these are the media sessions of `docs/apis/openvidu.md`.
    fn is_media(&self) -> bool {
        self.vhost == DEFAULT_VHOST && self.app == MEDIA_APP
    }
}

/// A page of connections.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// The connections, in the order of the list.
    pub connections: Vec<T>,
    /// The position at which the next page begins; `None` if there is no next page.
    pub next: Option<String>,
}

/// Connections with their sort keys.
type Rows<T> = Vec<(String, T)>;

/// Items of one shard, in the order of their sort keys or in reverse.
struct Slice {
    items: Vec<(String, Attributes)>,
    more: bool,
}

/// The range that is read of each shard.
#[derive(Clone, Copy)]
struct Range<'a> {
    from: &'a str,
    to: &'a str,
    backwards: bool,
    limit: usize,
}

impl Store {
    /// The live connections of an application, ordered by stream and name, behind the last one of the previous page.
    ///
    /// A request for each shard, in parallel; for media sessions two.
    pub async fn live_page(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Found<LiveConnection>, StoreError> {
        let first = scope.stream.as_deref().map_or_else(String::new, prefix);
        let from = after.unwrap_or(&first);
        // One more than asked for, because the last connection of the previous page is read again.
        let range = Range { from, to: &last_behind(&first), backwards: false, limit: limit + 1 };
        let shards = (0..SHARDS).map(|shard| self.slice(partition(&scope.vhost, &scope.app, shard), range));
        let (slices, media) = tokio::try_join!(try_join_all(shards), self.media_connections(scope, now))?;
        let (mut rows, bound) = merged::<LiveConnection>(slices, false, is_connection)?;
        // Only tombstones of media sessions' connections lie there. The live ones lie with their sessions.
        let media = media.into_iter().map(|live| (sort_key(&live), live));
        rows.extend(media.filter(|(sk, _)| sk.as_str() >= from && bound.as_ref().is_none_or(|bound| sk <= bound)));
        rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        rows.retain(|(sk, live)| live.is_live(now) && !live.is_publisher() && Some(sk.as_str()) != after);
        Ok(cut(rows, bound, limit))
    }

    /// The ended connections of an application, the newest first, behind the last one of the previous page.
    ///
    /// A request for each shard, in parallel.
    pub async fn ended_page(
        &self,
        scope: &Scope,
        after: Option<&str>,
        limit: usize,
        now: Timestamp,
    ) -> Result<Found<LedgerEntry>, StoreError> {
        // Connections that are still live lie under a later end.
        let newest = format!("{}\u{10ffff}", ledger::from(now));
        let range = Range { from: "0", to: after.unwrap_or(&newest), backwards: true, limit: limit + 1 };
        let shards = ledger::partitions(&scope.vhost, &scope.app).map(|partition| self.slice(partition, range));
        let (mut rows, bound) = merged::<LedgerEntry>(try_join_all(shards).await?, true, |_| true)?;
        rows.retain(|(sk, entry)| {
            let wanted = scope.stream.as_ref().is_none_or(|stream| *stream == entry.stream.stream);
            wanted && Some(sk.as_str()) != after && entry.ended_at <= now && entry.is_kept(now)
        });
        Ok(cut(rows, bound, limit))
    }

    async fn media_connections(&self, scope: &Scope, now: Timestamp) -> Result<Vec<LiveConnection>, StoreError> {
        if !scope.is_media() {
            return Ok(Vec::new());
        }
        let sessions = match &scope.stream {
            None => self.media_sessions(now).await?,
            Some(stream) => {
                let (vhost, app) = (scope.vhost.clone(), scope.app.clone());
                match (Stream { vhost, app, stream: stream.clone() }).media_session() {
                    Some(session) => self.media_session(&session, now).await?.into_iter().collect(),
                    None => Vec::new(),
                }
            }
        };
        let connections = sessions.iter().flat_map(|(_, connections)| connections);
        Ok(connections.map(LiveConnection::of_media).collect())
    }

    async fn slice(&self, partition: String, range: Range<'_>) -> Result<Slice, StoreError> {
        if partition.len() > KEY_MAX[0] || range.from.len().max(range.to.len()) > KEY_MAX[1] {
            // No item can have such a key.
            return Ok(Slice { items: Vec::new(), more: false });
        }
        // An empty key value is not allowed, and every sort key sorts after a space.
        let from = if range.from.is_empty() { " " } else { range.from };
        let query = self.query(partition).between(from, range.to).limit(range.limit);
        let answer = if range.backwards { query.backwards() } else { query }.send().await?;
        let more = answer.next.is_some();
        let items = answer.items.into_iter();
        let items = items.filter_map(|item| Some((item.get("SK")?.as_s().ok()?.clone(), item)));
        Ok(Slice { items: items.collect(), more })
    }
}

/// The last text with this prefix that still fits into a key.
fn last_behind(prefix: &str) -> String {
    let last = match KEY_MAX[1].saturating_sub(prefix.len()) {
        0 => "",
        1 => "\u{7f}",
        2 => "\u{7ff}",
        3 => "\u{ffff}",
        _ => "\u{10ffff}",
    };
    format!("{prefix}{last}")
}

fn sort_key(live: &LiveConnection) -> String {
    format!("{}{}", prefix(&live.stream.stream), part(live.name.as_str()))
}

/// Whether a sort key is that of a connection, and not of a client or a publisher.
fn is_connection(sk: &str) -> bool {
    !sk.contains('#')
}

/// Merges slices in their common order. Also returns the key up to which the merged list is complete; `None` if it is
/// complete to its end.
fn merged<T: DeserializeOwned>(
    slices: Vec<Slice>,
    backwards: bool,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<(Rows<T>, Option<String>), StoreError> {
    let before = |a: &str, b: &str| if backwards { a >= b } else { a <= b };
    // A slice that was cut off says nothing about items behind its last one.
    let ends = slices.iter().filter(|slice| slice.more).filter_map(|slice| Some(slice.items.last()?.0.clone()));
    let bound = if backwards { ends.max() } else { ends.min() };
    let within = |sk: &str| bound.as_deref().is_none_or(|bound| before(sk, bound));
    let items = slices.into_iter().flat_map(|slice| slice.items);
    let mut rows = Vec::new();
    for (sk, item) in items.filter(|(sk, _)| within(sk) && is_wanted(sk)) {
        rows.push((sk, serde_dynamo::from_item(item)?));
    }
    rows.sort_by(|(a, _), (b, _)| if backwards { b.cmp(a) } else { a.cmp(b) });
    Ok((rows, bound))
}

/// Cuts a list to this length. Adds the position at which the next page begins.
fn cut<T>(mut rows: Rows<T>, bound: Option<String>, limit: usize) -> Found<T> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|(sk, _)| sk.clone()).filter(|_| more);
    Found { next: last.or(bound), connections: rows.into_iter().map(|(_, connection)| connection).collect() }
}
