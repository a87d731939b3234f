//! Taking a user off the events and users that name them, because they are no manager any more or were deleted.

use greenroom_core::{
    clock::InTime,
    model::{Event, User},
};

use super::{EventsCounterItem, events_counter};
use crate::{
    Store, StoreError,
    attempts::pause,
    record::{Conflict, Kind, Parent, count, leaving, list_of, replacement_of_places},
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
            let counter: EventsCounterItem = self.item(events_counter(user)).await?.unwrap_or_default();
            // A user who is a manager again has left all that they had to.
            if counter.managed.is_empty() || !(counter.leaving || counter.sealed) {
                return Ok(true);
            }
            for events in counter.managed.chunks(EVENTS_AT_ONCE) {
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
        let mut writes = vec![leaving(user, events)];
        for event in self.records::<Event>(events).await? {
            let managers = event.record.managers.iter().copied().filter(|manager| *manager != user).collect();
            let after = Event { managers, ..event.record.clone() };
            writes.extend(replacement_of_places(&event, &after)?);
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
            let fewer = -i64::try_from(made.len()).unwrap_or(0);
            let mut writes = vec![count(list_of(Parent::User(user), Kind::User), fewer)];
            for stored in made {
                let after = User { creator: None, ..stored.record.clone() };
                writes.extend(replacement_of_places(&stored, &after)?);
            }
            if self.commit(writes).await?.is_err() {
                pause(lost).await;
                lost += 1;
            }
        }
    }
}
