//! Users who are called something else, or are gone: the rooms they are in.

use crate::{
    clock::{Clock, InTime},
    model::{
        Jid, User,
        room::{self, Person},
    },
    store::{Store, StoreError, Tools},
};

impl Store {
    /// Lets a user who was called this go on, in all rooms where they are still known by it, under what they are called
    /// now; one whose name makes no JID leaves them. `true` where they are in none any more under that name.
    ///
    /// Two requests, and two for each room.
    pub(in crate::store) async fn rename_in_rooms(
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

    /// Removes somebody from all rooms that they are in, as if they left them, until the time is up; `true` where they are
    /// in none any more.
    ///
    /// One request, and two for each room.
    pub(in crate::store) async fn leave_rooms(
        &self,
        person: &Person,
        clock: &Clock,
        host: &str,
        in_time: InTime<'_>,
    ) -> Result<bool, StoreError> {
        self.in_each_room(person, clock, host, in_time, |room| room.remove(person, &person.jid)).await
    }
}
