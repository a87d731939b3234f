//! Users who are gone, and what is left of theirs: events that list them, users whom they made, rooms that they are in,
//! their archives, and their rosters.
//!
//! The transaction that deletes a user puts the job to clear it away.

use super::{
    Attributes, Key, Pair, Store, StoreError, Tools,
    archive::After,
    message::{archive_of, archive_with},
    record::{Kind, Parent, list_of},
};
use crate::{
    clock::Timestamp,
    model::{
        Jid,
        room::{self, Person},
    },
};

impl Store {
    /// Clears what is left of a user who is gone, until nothing is or the time is up; `true` where nothing is. They leave
    /// the events they managed, nobody was made by them, they leave their rooms, nobody has anything agreed with them, and
    /// their archives are deleted.
    ///
    /// Seven requests; two more for every 15 events and every 27 users, two for each room, three for each contact, and two
    /// for every 25 messages.
    pub(super) async fn clear_former_user(
        &self,
        user: u64,
        username: &str,
        Tools { clock, domain, in_time }: Tools<'_>,
    ) -> Result<bool, StoreError> {
        if !self.leave_managed_events(user, in_time).await? || !self.leave_made_users(user, in_time).await? {
            return Ok(false);
        }
        // Nothing names them any more, and nothing could since their lists were closed.
        for kind in [Kind::User, Kind::Event] {
            self.clear_partition_of(&list_of(Parent::User(user), kind), in_time).await?;
        }
        // Whose name makes no JID never took part in a conversation.
        let Some(jid) = Jid::of(username, domain) else { return Ok(true) };
        let person = Person { jid, user: Some(user) };
        Ok(self.leave_rooms(&person, clock, &room::host(domain), in_time).await?
            && self.leave_rosters(user, &person.jid, in_time).await?
            && self.clear_archives(user, in_time).await?)
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
