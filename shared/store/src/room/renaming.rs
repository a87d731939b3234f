//! The rooms of users who are renamed or deleted.

use greenroom_core::{
    clock::{Clock, InTime},
    model::{
        Jid, User,
        room::{self, Person},
    },
};

use crate::{Store, StoreError, Tools};

impl Store {
    /// Lets a renamed user go on under their new name in all rooms that still know them by the old one. A user whose
    /// new name makes no JID leaves those rooms. Returns `true` if no room knows the old name any more.
    ///
    /// Two requests, and two for each room.
    pub(crate) async fn rename_in_rooms(
        &self,
        user: u64,
        before: &str,
        Tools { clock, domain, in_time }: Tools<'_>,
    ) -> Result<bool, StoreError> {
        let Some(jid) = Jid::of(before, domain) else { return Ok(true) };
        let (person, host) = (Person { jid, user: Some(user) }, room::host(domain));
        let present = self.record::<User>(user).await?;
        match present.and_then(|user| Jid::of(&user.record.username, domain)) {
            Some(jid) if jid == person.jid => Ok(true),
            Some(jid) => self.in_each_room(&person, clock, &host, in_time, |room| room.rename(&person, &jid)).await,
            None => self.leave_rooms(&person, clock, &host, in_time).await,
        }
    }

    /// Removes a user from all rooms as if they left, until the time is up. Returns `true` if they are in none any
    /// more.
    ///
    /// One request, and two for each room.
    pub(crate) async fn leave_rooms(
        &self,
        person: &Person,
        clock: &Clock,
        host: &str,
        in_time: InTime<'_>,
    ) -> Result<bool, StoreError> {
        self.in_each_room(person, clock, host, in_time, |room| room.remove(person, &person.jid)).await
    }
}
