//! Feeds: the new entries of the archives that a participant may read, each told once and in order.
//!
//! A feed writes nothing. It looks at the high-water marks of the archives, and reads an archive where its mark has
//! risen. It reads an archive up to the mark that it saw and no further, because everything before a mark is in the
//! table already.

mod listener;

use std::{collections::HashMap, time::Duration};

use futures_util::future::try_join_all;
use greenroom_core::{
    clock::Timestamp,
    id::RoomId,
    model::{
        ArchiveTag, Jid, Message, Notice, Position,
        room::{Affiliation, Membership, RoomEvent},
    },
};
use serde::{Deserialize, de::DeserializeOwned};

pub use self::listener::{Credential, Listener};
use super::{
    Attributes, Store, StoreError,
    archive::{After, high_water_mark_key, last_of},
    message::archive_of,
    room::{memberships_revision_key, revision_of, room_archive},
};

/// The age at which every write is surely in the table. A write takes its time at most 12 seconds before it is done, by
/// a clock that may be some seconds off.
const SETTLED: Duration = Duration::from_mins(1);
/// The smallest difference of two times.
const MILLISECOND: Duration = Duration::from_millis(1);
/// How many archives are read at the same time.
const MAX_CONCURRENT: usize = 8;
/// The size of entries, in bytes as they lie in the table, after which a look leaves the rest for the next one.
const BYTES_MAX: usize = 1024 * 1024;

/// The archives that a user listens to, and the position up to which the user has been told.
#[derive(Clone, Debug)]
pub struct Feed {
    listener: Listener,
    /// The user's own archive, and the archives of the rooms that the user is in.
    subscriptions: Vec<Subscription>,
    /// The revision of the memberships that `subscriptions` was made from.
    revision: u64,
    position: Position,
}

impl Feed {
    /// The position up to which the user has been told.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Drops the archives of rooms that the user left, once everything up to then has been told.
    fn close(&mut self) {
        let position = &self.position;
        self.subscriptions
            .retain(|subscription| subscription.until.is_none_or(|until| position.of(subscription.tag) < until));
    }

    /// The part of an archive that has not been told; `None` if all of it has.
    fn untold<'a>(&self, subscription: &'a Subscription, seen: &Seen) -> Option<(&'a Subscription, After)> {
        let after = self.position.of(subscription.tag).max(subscription.before);
        let mark = *seen.marks.get(&subscription.archive)?;
        let last = subscription.until.map_or(mark, |until| until.min(mark));
        (last > after).then_some((subscription, After { after, last }))
    }
}

/// The entries since the last look.
#[derive(Clone, Debug)]
pub struct News {
    /// Each with the position behind it, the oldest first.
    pub notices: Vec<(Notice, Position)>,
    /// Whether these are all entries since the last look.
    pub all: bool,
}

/// An archive that a user listens to.
#[derive(Clone, Debug)]
struct Subscription {
    archive: String,
    tag: ArchiveTag,
    /// The room that the archive belongs to; `None` for the user's own archive.
    room: Option<RoomId>,
    /// Entries of this time or earlier are not told.
    before: Timestamp,
    /// Entries after this time are not told: the user left the room then.
    until: Option<Timestamp>,
}

impl Subscription {
    fn own(user: u64) -> Self {
        let archive = archive_of(user);
        Self { tag: ArchiveTag::of(&archive), archive, room: None, before: Timestamp::default(), until: None }
    }

    fn room(Membership { room, archive, since, left, .. }: Membership) -> Self {
        let archive = room_archive(&archive);
        Self { tag: ArchiveTag::of(&archive), archive, room: Some(room), before: since - MILLISECOND, until: left }
    }

    /// Reads an item of this archive, and makes the notice of it.
    fn entry(&self, item: Attributes) -> Result<Entry, StoreError> {
        let Some(room) = &self.room else {
            let OwnMessage { message, received } = read(item)?;
            // Their own messages are no news to them.
            let (at, notice) = (message.timestamp, received.then_some(Notice::Message(message)));
            return Ok(Entry { archive: self.tag, at, notice });
        };
        let notice = Notice::Room { room: room.clone(), entry: read(item)? };
        Ok(Entry { archive: self.tag, at: notice.timestamp(), notice: Some(notice) })
    }
}

/// An entry of an archive, with its notice if there is one.
struct Entry {
    archive: ArchiveTag,
    at: Timestamp,
    notice: Option<Notice>,
}

impl Entry {
    /// Whether the entry says that this participant is no longer in the room.
    fn ends(&self, leaver: &Jid) -> bool {
        let Some(Notice::Room { entry, .. }) = &self.notice else { return false };
        matches!(&entry.event, RoomEvent::Affiliation { user, affiliation: Affiliation::None, .. } if user == leaver)
    }
}

/// A message as it lies in a user's own archive.
#[derive(Deserialize)]
struct OwnMessage {
    #[serde(flatten)]
    message: Message,
    received: bool,
}

/// What one look at the table found.
struct Seen {
    /// The time of the last entry of each archive, by the archive's name.
    marks: HashMap<String, Timestamp>,
    /// The revision of the user's memberships.
    revision: u64,
    /// Whether the user's credential would still be accepted.
    welcome: bool,
}

impl Store {
    /// The feed of a user, from a position on or from now on.
    ///
    /// One request for a user who never was in a room, else two, and three from now on.
    pub async fn feed(&self, listener: Listener, from: Option<Position>, now: Timestamp) -> Result<Feed, StoreError> {
        // A position in the future is none of ours.
        let from = from.filter(|position| position.floor() <= now);
        let from_now = from.is_none();
        let position = from.unwrap_or_else(|| Position::at(now - SETTLED));
        let subscriptions = vec![Subscription::own(listener.user)];
        let mut feed = Feed { listener, subscriptions, revision: 0, position };
        let mut seen = self.look(&feed, now).await?;
        if self.follow(&mut feed, &seen).await? && from_now {
            seen = self.look(&feed, now).await?;
        }
        if from_now {
            for subscription in &feed.subscriptions {
                if let Some(last) = seen.marks.get(&subscription.archive) {
                    feed.position.tell(subscription.tag, *last);
                }
            }
        }
        feed.close();
        Ok(feed)
    }

    /// The entries since the last look, or since the feed's position. `None` if the user's credential would no longer
    /// be accepted.
    ///
    /// One request for every 100 archives; one more for each archive that has something new, and one if the memberships
    /// changed.
    pub async fn news(&self, feed: &mut Feed, now: Timestamp) -> Result<Option<News>, StoreError> {
        let seen = self.look(feed, now).await?;
        if !seen.welcome {
            return Ok(None);
        }
        let changed = self.follow(feed, &seen).await?;
        let untold: Vec<_> =
            feed.subscriptions.iter().filter_map(|subscription| feed.untold(subscription, &seen)).collect();
        let (mut entries, mut all) = self.entries_of(&untold, &feed.listener.jid).await?;
        // The archives of newly found rooms have not been looked at yet.
        all &= !changed;
        entries.sort_by_key(|entry| entry.at);
        let mut notices = Vec::new();
        for Entry { archive, at, notice } in entries {
            feed.position.tell(archive, at);
            notices.extend(notice.map(|notice| (notice, feed.position.clone())));
        }
        if all {
            feed.position.raise(now - SETTLED);
        }
        feed.close();
        Ok(Some(News { notices, all }))
    }

    async fn look(&self, feed: &Feed, now: Timestamp) -> Result<Seen, StoreError> {
        let memberships = memberships_revision_key(&feed.listener.jid);
        let mut seen = Seen { marks: HashMap::new(), revision: 0, welcome: false };
        let mut keys = feed.listener.keys();
        keys.push(memberships_revision_key(&feed.listener.jid).attributes());
        keys.extend(
            feed.subscriptions.iter().map(|subscription| high_water_mark_key(&subscription.archive).attributes()),
        );
        let mut account = Vec::new();
        for item in self.batch(keys).await? {
            let name = item.get("PK").and_then(|pk| pk.as_s().ok()).cloned().unwrap_or_default();
            if name == memberships.pk {
                seen.revision = revision_of(item)?;
            } else if feed.listener.is_about(&name) {
                account.push((name, item));
            } else {
                seen.marks.insert(name, last_of(item)?);
            }
        }
        seen.welcome = feed.listener.is_welcome(account, now)?;
        Ok(seen)
    }

    /// Takes up the rooms that the user is in now, if the memberships may have changed. The memberships are read after
    /// their revision, so that none is missed.
    async fn follow(&self, feed: &mut Feed, seen: &Seen) -> Result<bool, StoreError> {
        if seen.revision == feed.revision {
            return Ok(false);
        }
        let memberships = self.memberships_until_now(&feed.listener.jid, feed.listener.user).await?;
        feed.subscriptions.truncate(1);
        feed.subscriptions.extend(memberships.into_iter().map(Subscription::room));
        feed.revision = seen.revision;
        Ok(true)
    }

    /// The entries of these parts of archives, as many as one answer takes, and whether those are all.
    ///
    /// If the user left a room, later entries of its archive are not for them: the memberships may have been read
    /// before they left, and the archive's high-water mark after.
    async fn entries_of(
        &self,
        parts: &[(&Subscription, After)],
        leaver: &Jid,
    ) -> Result<(Vec<Entry>, bool), StoreError> {
        let (mut entries, mut bytes, mut all) = (Vec::new(), 0, true);
        for some in parts.chunks(MAX_CONCURRENT) {
            if bytes > BYTES_MAX {
                return Ok((entries, false));
            }
            let pages =
                try_join_all(some.iter().map(|(subscription, part)| self.archived_after(&subscription.archive, *part)));
            for ((subscription, part), page) in some.iter().zip(pages.await?) {
                bytes += page.bytes;
                all &= page.all;
                let mut left = false;
                for item in page.items {
                    let entry = subscription.entry(item)?;
                    left = entry.ends(leaver);
                    entries.push(entry);
                    if left {
                        break;
                    }
                }
                if page.all && !left {
                    entries.push(Entry { archive: subscription.tag, at: part.last, notice: None });
                }
            }
        }
        Ok((entries, all))
    }
}

fn read<T: DeserializeOwned>(item: Attributes) -> Result<T, StoreError> {
    Ok(serde_dynamo::from_item(item)?)
}
