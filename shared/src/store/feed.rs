//! Feeds: what is new in the archives that a participant hears of, told once and in order.
//!
//! Nothing is written for it. Who listens looks at the heads of the archives, and reads on where one has moved. An
//! archive is read up to the head that was seen and no further: all that lies before a head is there.

use std::{collections::HashMap, time::Duration};

use futures_util::future::try_join_all;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    Attributes, Store, StoreError,
    archive::{After, head_key, last_of},
    message::archive_of,
};
use crate::{
    clock::Timestamp,
    model::{ArchiveTag, Message, Notice, Position},
};

/// How old everything is that is written: who writes takes the time at most 12 seconds before, by a clock that may be
/// some seconds off.
const SETTLED: Duration = Duration::from_mins(1);
/// How many archives are read at the same time.
const AT_ONCE: usize = 8;
/// After how many bytes of entries, as they lie in the table, the rest is left for the next time.
const BYTES_MAX: usize = 1024 * 1024;

/// What somebody listens to, and how far they have been told.
#[derive(Clone, Debug)]
pub struct Feed {
    sources: Vec<Source>,
    position: Position,
}

impl Feed {
    /// How far has been told.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }
}

/// What happened since the last time.
#[derive(Clone, Debug)]
pub struct News {
    /// Each with the position behind it, the oldest first.
    pub notices: Vec<(Notice, Position)>,
    /// Whether that was all there was.
    pub all: bool,
}

/// An archive that somebody listens to.
#[derive(Clone, Debug)]
struct Source {
    archive: String,
    tag: ArchiveTag,
}

impl Source {
    fn new(archive: String) -> Self {
        Self { tag: ArchiveTag::of(&archive), archive }
    }
}

/// An entry that was read, and what there is to tell of it.
struct Entry {
    archive: ArchiveTag,
    at: Timestamp,
    notice: Option<Notice>,
}

/// A message as a participant's own archive has it.
#[derive(Deserialize)]
struct OwnMessage {
    #[serde(flatten)]
    message: Message,
    received: bool,
}

impl Store {
    /// The feed of a user, from a position on or from now on.
    ///
    /// One request from now on.
    pub async fn feed(&self, user: u64, from: Option<Position>, now: Timestamp) -> Result<Feed, StoreError> {
        let sources = vec![Source::new(archive_of(user))];
        // Who comes from the future does not come from us.
        if let Some(position) = from.filter(|position| position.floor() <= now) {
            return Ok(Feed { sources, position });
        }
        let mut position = Position::at(now - SETTLED);
        let heads = self.archive_heads(&sources).await?;
        for source in &sources {
            position.tell(source.tag, heads.get(&source.archive).copied().unwrap_or(position.floor()));
        }
        Ok(Feed { sources, position })
    }

    /// What happened since the last time, or since the feed's position.
    ///
    /// One request, and one for each archive that has something new.
    pub async fn news(&self, feed: &mut Feed, now: Timestamp) -> Result<News, StoreError> {
        let heads = self.archive_heads(&feed.sources).await?;
        let moved: Vec<_> = feed.sources.iter().filter_map(|source| moved(source, &heads, &feed.position)).collect();
        let (mut entries, all) = self.entries_of(&moved).await?;
        entries.sort_by_key(|entry| entry.at);
        let mut notices = Vec::new();
        for Entry { archive, at, notice } in entries {
            feed.position.tell(archive, at);
            notices.extend(notice.map(|notice| (notice, feed.position.clone())));
        }
        if all {
            feed.position.raise(now - SETTLED);
        }
        Ok(News { notices, all })
    }

    /// When something was last added to each of these archives, by name.
    async fn archive_heads(&self, sources: &[Source]) -> Result<HashMap<String, Timestamp>, StoreError> {
        let keys = sources.iter().map(|source| head_key(&source.archive).attributes()).collect();
        let heads = self.batch(keys).await?.into_iter().map(|head| {
            let archive = head.get("PK").and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
            Ok::<_, StoreError>((archive, last_of(head)?))
        });
        heads.collect()
    }

    /// The entries of these parts of archives, as many as one answer takes, and whether those are all.
    async fn entries_of(&self, parts: &[(&Source, After)]) -> Result<(Vec<Entry>, bool), StoreError> {
        let (mut entries, mut bytes, mut all) = (Vec::new(), 0, true);
        for some in parts.chunks(AT_ONCE) {
            if bytes > BYTES_MAX {
                return Ok((entries, false));
            }
            let pages = try_join_all(some.iter().map(|(source, part)| self.archived_after(&source.archive, *part)));
            for ((source, part), page) in some.iter().zip(pages.await?) {
                bytes += page.bytes;
                all &= page.all;
                entries.extend(page.items.into_iter().map(|item| own(source.tag, item)).collect::<Result<Vec<_>, _>>()?);
                if page.all {
                    entries.push(Entry { archive: source.tag, at: part.last, notice: None });
                }
            }
        }
        Ok((entries, all))
    }
}

/// The part of an archive that has not been told; `None` where there is none.
fn moved<'a>(
    source: &'a Source,
    heads: &HashMap<String, Timestamp>,
    position: &Position,
) -> Option<(&'a Source, After)> {
    let (after, last) = (position.of(source.tag), *heads.get(&source.archive)?);
    (last > after).then_some((source, After { after, last }))
}

/// An entry of a participant's own archive. What they sent themselves is no news to them.
fn own(archive: ArchiveTag, item: Attributes) -> Result<Entry, StoreError> {
    let OwnMessage { message, received } = read(item)?;
    Ok(Entry { archive, at: message.timestamp, notice: received.then_some(Notice::Message(message)) })
}

fn read<T: DeserializeOwned>(item: Attributes) -> Result<T, StoreError> {
    Ok(serde_dynamo::from_item(item)?)
}
