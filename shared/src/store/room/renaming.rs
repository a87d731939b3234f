//! Users who are called something else: the rooms they are in.

use crate::{
    clock::Clock,
    model::{Jid, room::Person},
    store::{Store, StoreError},
};

impl Store {
    /// Lets a user go on under another JID in all rooms that they are in.
    ///
    /// One request, and two for each room.
    pub async fn rename_in_rooms(
        &self,
        person: &Person,
        jid: &Jid,
        clock: &Clock,
        host: &str,
    ) -> Result<(), StoreError> {
        self.in_each_room(person, clock, host, |room| room.rename(person, jid)).await
    }

    /// Removes somebody from all rooms that they are in, as if they left them.
    ///
    /// One request, and two for each room.
    pub async fn leave_rooms(&self, person: &Person, clock: &Clock, host: &str) -> Result<(), StoreError> {
        self.in_each_room(person, clock, host, |room| room.remove(person, &person.jid)).await
    }
}
