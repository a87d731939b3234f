//! Taking a user off the events and users that name them, because they are no manager any more or were deleted.

use greenroom_core::{
    clock::InTime,
    model::{Event, User},
};

use super::{EventsHead, events_head};
use crate::{
    Store, StoreError,
    attempts::pause,
    record::{Conflict, Kind, Parent, Write, list_of},
};

/// How many events a user leaves in one transaction. With the longest texts, three copies of each come close to the 4
/// MB of a transaction.
const EVENTS_AT_ONCE: usize = 15;

impl Store {
    /// Takes a user off the events that they have to leave, until there are none or the time is up. Returns `true` if
    /// there are none.
    ///
    /// One request, and two for every 15 events.
    pub(crate) async fn leave_managed_events(&self, user: u64, in_time: InTime<'_>) -> Result<bool, StoreError> {
        let mut lost = 0;
        loop {
            let head: EventsHead = self.item(events_head(user)).await?.unwrap_or_default();
            // A user who is a manager again has left all that they had to.
            if head.managed.is_empty() || !(head.leaving || head.sealed) {
                return Ok(true);
            }
            for events in head.managed.chunks(EVENTS_AT_ONCE) {
                if !in_time() {
                    return Ok(false);
                }
                if self.leave_some(user, events).await?.is_err() {
                    // One of the events was changed between the read and the write.
                    pause(lost).await;
                    lost += 1;
                    break;
                }
            }
        }
    }

    async fn leave_some(&self, user: u64, events: &[u64]) -> Result<Result<(), Conflict>, StoreError> {
        // An event that was deleted took its managers off itself.
        let mut writes = vec![self.leaving(user, events)?];
        for event in self.records::<Event>(events).await? {
            let managers = event.record.managers.iter().copied().filter(|manager| *manager != user).collect();
            let after = Event { managers, ..event.record.clone() };
            writes.extend(self.replacement_of_places(&event, &after)?);
        }
        self.commit(writes).await
    }

    /// Clears the creator of the users whom a deleted user made, until there are none or the time is up. Returns `true`
    /// if there are none.
    ///
    /// One request, and two for every 27 users.
    pub(crate) async fn leave_made_users(&self, user: u64, in_time: InTime<'_>) -> Result<bool, StoreError> {
        let mut lost = 0;
        loop {
            let made = self.some_of::<User>(Parent::User(user)).await?;
            if made.is_empty() {
                return Ok(true);
            }
            if !in_time() {
                return Ok(false);
            }
            let mut writes = vec![self.fewer(list_of(Parent::User(user), Kind::User), made.len())?];
            for stored in made {
                let after = User { creator: None, ..stored.record.clone() };
                writes.extend(self.replacement_of_places(&stored, &after)?);
            }
            if self.commit(writes).await?.is_err() {
                pause(lost).await;
                lost += 1;
            }
        }
    }

    fn fewer(&self, list: String, by: usize) -> Result<Write, StoreError> {
        self.count(list, -i64::try_from(by).unwrap_or(0))
    }
}
