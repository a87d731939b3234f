//! Users who are gone, and what is left of theirs: rooms that they are in, their archives, and their rosters.
//!
//! The transaction that deletes a user says so; whoever deleted them goes on with it at once, and where that broke off,
//! the next one does.

use serde::{Deserialize, Serialize};

use super::{
    Attributes, Item, Key, Pair, Store, StoreError,
    archive::After,
    message::{archive_of, archive_with},
    record::{Conflict, Write, padded},
};
use crate::{
    clock::{Clock, Timestamp},
    model::{
        Jid, User,
        room::{self, Person},
    },
};

/// The partition of those of whom something may be left.
const FORMER: &str = "FORMERUSERS";

/// A user who is gone.
#[derive(Clone, Serialize, Deserialize)]
pub struct FormerUser {
    /// Their number.
    pub user: u64,
    /// What they were called.
    pub username: String,
}

impl std::fmt::Debug for FormerUser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormerUser")
    }
}

fn key(user: u64) -> Key {
    Key { pk: FORMER.to_owned(), sk: padded(user) }
}

impl Store {
    /// Everybody of whom something may be left. One request, and one for every further MB.
    pub async fn former_users(&self) -> Result<Vec<FormerUser>, StoreError> {
        Ok(serde_dynamo::from_items(self.items(FORMER, "").await?)?)
    }

    /// Says that something of a user is left to be cleared.
    pub(super) fn remembering(&self, user: &User) -> Result<Write, StoreError> {
        let former = FormerUser { user: user.id, username: user.username.clone() };
        let item = Item { key: key(user.id), kind: "FormerUser", entity: &former }.attributes()?;
        self.writing(item, Conflict::Changed)
    }

    /// Clears what is left of a user who is gone, until nothing is or the time is up; `true` where nothing is. They leave
    /// their rooms, nobody has anything agreed with them, and their archives are deleted. Another call goes on where this
    /// one stopped.
    ///
    /// Five requests; two more for each room, three for each contact, and two for every 25 messages.
    pub async fn clear_former_user(
        &self,
        FormerUser { user, username }: &FormerUser,
        domain: &str,
        clock: &Clock,
        in_time: impl Fn() -> bool,
    ) -> Result<bool, StoreError> {
        // Whose name makes no JID never took part in a conversation.
        if let Some(jid) = Jid::of(username, domain) {
            let person = Person { jid, user: Some(*user) };
            self.leave_rooms(&person, clock, &room::host(domain)).await?;
            if !self.leave_rosters(*user, &person.jid, &in_time).await? || !self.clear_archives(*user, &in_time).await?
            {
                return Ok(false);
            }
        }
        self.delete_keys(vec![key(*user)]).await?;
        Ok(true)
    }

    /// Takes a user's contacts out of their roster, and back all that was agreed; `true` where none is left.
    async fn leave_rosters(&self, user: u64, jid: &Jid, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        for contact in self.contacts(user).await? {
            if !in_time() {
                return Ok(false);
            }
            let contact = contact.jid;
            let named = if contact.domain() == jid.domain() { self.user_named(contact.local()).await? } else { None };
            let pair = Pair { me: jid.clone(), user, contact, contact_user: named.map(|named| named.id) };
            let remove = self.change_relation(&pair, |relation| {
                // One who is not there any more was removed by somebody else.
                let _ = relation.remove();
                Ok::<_, StoreError>(())
            });
            remove.await?;
        }
        Ok(true)
    }

    /// Deletes a user's archives; `true` where none is left. An entry goes after those which it leads to: what it shares
    /// with each of its partners.
    async fn clear_archives(&self, user: u64, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        let all = After { after: Timestamp::default(), last: Timestamp::from_millis(i64::MAX) };
        loop {
            let entries = self.archived_after(&archive_of(user), all).await?.items;
            if entries.is_empty() {
                return self.clear_partition_of(&archive_of(user), &in_time).await;
            }
            // Under whatever name they wrote: one of the two was the partner.
            let mut partners: Vec<_> = entries.iter().flat_map(parties).collect();
            partners.sort();
            partners.dedup();
            for partner in partners {
                if !self.clear_partition_of(&archive_with(user, &partner), &in_time).await? {
                    return Ok(false);
                }
            }
            let mut keys: Vec<Key> = serde_dynamo::from_items(entries)?;
            while !keys.is_empty() {
                let rest = keys.split_off(keys.len().min(super::room::PIECE));
                self.delete_keys(std::mem::replace(&mut keys, rest)).await?;
            }
            if !in_time() {
                return Ok(false);
            }
        }
    }
}

/// Who wrote a message, and to whom.
fn parties(entry: &Attributes) -> impl Iterator<Item = Jid> {
    ["from", "to"].into_iter().filter_map(|name| Jid::parse(entry.get(name)?.as_s().ok()?))
}
