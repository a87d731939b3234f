//! Messages. A message lies in the archives of its sender and its receiver. In each archive it lies among all messages,
//! and again among those with the other participant.

use greenroom_core::{
    clock::{Clock, Timestamp},
    id::hex,
    model::{Jid, Message},
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    ArchiveWindow, Item, Store, StoreError,
    archive::{entry_key, last_of, raising_high_water_mark},
    attempts::Attempts,
    transaction::Committed,
    write::Write,
};

/// The archive of a user.
pub(super) fn archive_of(user: u64) -> String {
    format!("ARCHIVE#{user}")
}

/// The part of a user's archive with one partner. Partners are hashed, because keys surface in metrics and logs.
pub(super) fn archive_with(user: u64, partner: &Jid) -> String {
    format!("ARCHIVE#{user}/{}", hex(&Sha256::digest(partner.as_str())))
}

/// A message as it lies in one archive.
#[derive(Serialize)]
struct ArchivedMessage<'a> {
    #[serde(flatten)]
    message: &'a Message,
    /// Whether the archive's user received it. Streams tell the receiver of it.
    received: bool,
}

impl Store {
    /// Stores a message in the archive of its sender, and in that of its receiver if there is one. Its time is the next
    /// one that neither archive has. A message to oneself is in the archive twice.
    ///
    /// One request, a transaction; another if the archive has had an entry in this millisecond.
    pub async fn insert_message(
        &self,
        mut message: Message,
        sender: u64,
        receiver: Option<u64>,
        clock: &Clock,
    ) -> Result<Message, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let Committed::No(reasons) = self.transact(&sending(&message, sender, receiver)?).await? else {
                return Ok(message);
            };
            attempts.lost_knowingly().await?;
            let marks = reasons.into_iter().filter_map(|reason| reason.item);
            let last = marks.map(last_of).collect::<Result<Vec<_>, _>>()?.into_iter().max();
            // Other messages were written during the wait, so the next free time is computed anew.
            message.timestamp = last.map_or(Timestamp::default(), Timestamp::next).max(clock.now());
        }
    }

    /// Messages of a user's archive, the oldest first: those with one partner, or all.
    ///
    /// One request, however many there are.
    pub async fn messages(
        &self,
        user: u64,
        partner: Option<&Jid>,
        window: ArchiveWindow,
    ) -> Result<Vec<Message>, StoreError> {
        let archive = partner.map_or_else(|| archive_of(user), |partner| archive_with(user, partner));
        self.archived(&archive, window).await
    }
}

fn sending(message: &Message, sender: u64, receiver: Option<u64>) -> Result<Vec<Write>, StoreError> {
    let at = message.timestamp;
    let Message { from, to, .. } = message;
    if receiver == Some(sender) {
        let again = Message { timestamp: at.next(), ..message.clone() };
        let mut writes = vec![raising_high_water_mark(&archive_of(sender), at, again.timestamp)];
        writes.extend(entries(message, sender, to, false)?);
        writes.extend(entries(&again, sender, to, true)?);
        return Ok(writes);
    }
    let mut writes = vec![raising_high_water_mark(&archive_of(sender), at, at)];
    writes.extend(entries(message, sender, to, false)?);
    if let Some(receiver) = receiver {
        writes.push(raising_high_water_mark(&archive_of(receiver), at, at));
        writes.extend(entries(message, receiver, from, true)?);
    }
    Ok(writes)
}

fn entries(message: &Message, user: u64, partner: &Jid, received: bool) -> Result<[Write; 2], StoreError> {
    let put = |archive: &str| {
        let key = entry_key(archive, message.timestamp);
        Item { key, kind: "Message", entity: &ArchivedMessage { message, received } }.put()
    };
    Ok([put(&archive_of(user))?, put(&archive_with(user, partner))?])
}
