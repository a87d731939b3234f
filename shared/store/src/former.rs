//! Deleting what a deleted user leaves: events that list the user, users whom they made, rooms that they are in, their
//! archives and their rosters.
//!
//! The transaction that deletes a user puts the job for this.

use greenroom_core::{
    clock::Timestamp,
    model::{
        Jid,
        room::{self, Person},
    },
};

use super::{
    Attributes, Pair, Store, StoreError, Tools,
    archive::After,
    batch::{batches, delete},
    message::{archive_of, archive_with},
    record::{Kind, Parent, list_of},
};

impl Store {
    /// Deletes what a user left, until nothing is left or the time is up. Returns `true` if nothing is left. The user
    /// leaves the events that they managed and the rooms that they were in. Users whom they made have no creator
    /// afterwards. Contacts lose what was agreed with the user. The user's archives are deleted.
    ///
    /// Seven requests; two more for every 15 events and every 27 users, two for each room, three for each contact, and
    /// two for every 25 messages.
    pub(super) async fn clear_former_user(
        &self,
        user: u64,
        username: &str,
        Tools { clock, domain, in_time }: Tools<'_>,
    ) -> Result<bool, StoreError> {
        if !self.leave_managed_events(user, in_time).await? || !self.leave_made_users(user, in_time).await? {
            return Ok(false);
        }
        // Nothing names the user any more, and nothing new could since the lists were closed.
        for kind in [Kind::User, Kind::Event] {
            self.delete_partition(&list_of(Parent::User(user), kind), in_time).await?;
        }
        // A user whose name makes no JID never took part in a conversation.
        let Some(jid) = Jid::of(username, domain) else { return Ok(true) };
        let person = Person { jid, user: Some(user) };
        Ok(self.leave_rooms(&person, clock, &room::host(domain), in_time).await?
            && self.leave_rosters(user, &person.jid, in_time).await?
            && self.clear_archives(user, in_time).await?)
    }

    /// Deletes a user's roster, and the agreements with each of its contacts. Returns `true` if no contact is left.
    async fn leave_rosters(&self, user: u64, jid: &Jid, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        for contact in self.contacts(user).await? {
            if !in_time() {
                return Ok(false);
            }
            let contact = contact.jid;
            let named = if contact.domain() == jid.domain() { self.user_named(contact.local()).await? } else { None };
            let pair = Pair { me: jid.clone(), user, contact, contact_user: named.map(|named| named.id) };
            let remove = self.change_relation(&pair, |relation| {
                // A contact that is no longer there was removed by another request.
                let _ = relation.remove();
                Ok::<_, StoreError>(())
            });
            remove.await?;
        }
        Ok(true)
    }

    /// Deletes a user's archives. Returns `true` if none is left. An entry names the partners whose parts of the
    /// archive have to go too, so those go before the entry.
    async fn clear_archives(&self, user: u64, in_time: impl Fn() -> bool) -> Result<bool, StoreError> {
        let all = After { after: Timestamp::default(), last: Timestamp::from_millis(i64::MAX) };
        loop {
            let entries = self.archived_after(&archive_of(user), all).await?.items;
            if entries.is_empty() {
                return self.delete_partition(&archive_of(user), &in_time).await;
            }
            // The user may have written under an earlier name, so the partner is one of the two JIDs.
            let mut partners: Vec<_> = entries.iter().flat_map(parties).collect();
            partners.sort();
            partners.dedup();
            for partner in partners {
                if !self.delete_partition(&archive_with(user, &partner), &in_time).await? {
                    return Ok(false);
                }
            }
            let deletes = entries.into_iter().map(delete).collect::<Result<_, _>>()?;
            for batch in batches(deletes) {
                self.write_batch(batch).await?;
            }
            if !in_time() {
                return Ok(false);
            }
        }
    }
}

/// The sender and the receiver of a message.
fn parties(entry: &Attributes) -> impl Iterator<Item = Jid> {
    ["from", "to"].into_iter().filter_map(|name| Jid::parse(entry.get(name)?.as_s().ok()?))
}
