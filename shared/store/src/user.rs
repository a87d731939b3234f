//! Users: their creation, changes and deletion, and the events that they manage.

mod leaving;

use greenroom_core::{
    clock::Timestamp,
    model::{Event, User, job::Work, user::Role},
};
use serde::Deserialize;

use super::{
    Begun, Key, Store, StoreError,
    attempts::Attempts,
    job::begun_put,
    password::password_key,
    record::{
        Conflict, CounterItems, Kind, Parent, Record, RecordWrite, Stored, Unique, deleting, first_counter, list_of,
        managing_again, no_managing, removal_from_lists,
    },
    write::Write,
};

impl Record for User {
    const KIND: Kind = Kind::User;
    const CHILDREN: &'static [Kind] = &[Kind::User, Kind::Event];

    fn id(&self) -> u64 {
        self.id
    }

    fn parent(&self) -> Option<Parent> {
        self.creator.map(Parent::User)
    }

    fn unique(&self) -> Vec<(Unique, String)> {
        vec![(Unique::Username, Self::folded(&self.username))]
    }
}

/// The first counter item of a user's list of events.
#[derive(Default, Deserialize)]
struct EventsCounterItem {
    #[serde(default)]
    managed: Vec<u64>,
    /// Whether the user has to leave the events that they manage, because they are no manager any more or were deleted.
    #[serde(default)]
    leaving: bool,
    #[serde(default)]
    sealed: bool,
}

fn events_counter(user: u64) -> Key {
    first_counter(list_of(Parent::User(user), Kind::Event))
}

impl Store {
    /// The user who logs in with this name, in any case.
    pub async fn user_named(&self, username: &str) -> Result<Option<User>, StoreError> {
        let found: Option<Stored<User>> = self.record_with(Unique::Username, &User::folded(username)).await?;
        Ok(found.map(|stored| stored.record))
    }

    /// The events that a user manages.
    pub async fn managed_events(&self, user: u64) -> Result<Vec<Stored<Event>>, StoreError> {
        let counter: Option<EventsCounterItem> = self.item(events_counter(user)).await?;
        // A user who has to leave their events manages none.
        let counter = counter.filter(|counter| !counter.leaving).unwrap_or_default();
        self.records(&counter.managed).await
    }

    /// Changes a user by what `change` makes of their present version. Returns the work that follows: a user who is no
    /// manager any more leaves the events that they managed, and a renamed user goes on in their rooms under the new
    /// name.
    ///
    /// One request, a transaction.
    pub async fn change_user<E>(
        &self,
        stored: Stored<User>,
        now: Timestamp,
        change: impl Fn(&User) -> Result<User, E>,
    ) -> Result<(User, Vec<Begun>), E>
    where
        E: From<StoreError> + From<Conflict>,
    {
        let mut begun = Vec::new();
        let with = |before: &User, after: &User| {
            let (works, puts): (Vec<_>, Vec<_>) = consequences(before, after, now)?.into_iter().unzip();
            begun = works;
            let puts = puts.into_iter().map(|put| put.fails_as(Conflict::Changed));
            Ok(managing(before, after).into_iter().chain(puts).collect())
        };
        let user = self.change_record_with(stored, change, with).await?;
        Ok((user, begun))
    }

    /// Deletes a user. Returns the work that deletes what is left of theirs, [`Conflict::OwnsEvents`] if they own
    /// events, or [`Conflict::Gone`] if another request deleted them first.
    ///
    /// Three requests, two of them in parallel, the last a transaction.
    pub async fn remove_user(
        &self,
        mut user: Stored<User>,
        now: Timestamp,
    ) -> Result<Result<Begun, Conflict>, StoreError> {
        let id = user.record.id;
        let mut attempts = Attempts::default();
        loop {
            let lists = [Kind::User, Kind::Event].map(|kind| self.counter_items(list_of(Parent::User(id), kind)));
            let [made, events] = lists;
            let (made, events) = tokio::try_join!(made, events)?;
            if events.count() > 0 {
                return Ok(Err(Conflict::OwnsEvents));
            }
            let work = Work::ClearUser { user: id, username: user.record.username.clone() };
            let (begun, put) = begun_put(work, now)?;
            let mut writes = self.removal_writes(&user, &made, &events);
            writes.push(put.fails_as(Conflict::Changed));
            match self.commit(writes).await? {
                Ok(()) => return Ok(Ok(begun)),
                Err(Conflict::Changed) => attempts.lost().await?,
                Err(conflict) => return Ok(Err(conflict)),
            }
            match self.record(id).await? {
                Some(present) => user = present,
                None => return Ok(Err(Conflict::Gone)),
            }
        }
    }

    fn removal_writes(&self, user: &Stored<User>, made: &CounterItems, events: &CounterItems) -> Vec<RecordWrite> {
        let id = user.record.id;
        // A transaction may write an item only once, and a user who made themselves is in their own list.
        let made_by_themselves = user.record.creator == Some(id);
        let mut writes = removal_from_lists(user);
        if !made_by_themselves {
            writes.extend(self.counts(Some(&user.record), None));
        }
        writes.extend(made.sealing(-i64::from(made_by_themselves), false));
        writes.extend(events.sealing(0, true));
        writes.push(deleting(password_key(id)));
        writes
    }
}

fn consequences(before: &User, after: &User, now: Timestamp) -> Result<Vec<(Begun, Write)>, StoreError> {
    let user = before.id;
    let ends_managing = before.role == Role::Manager && after.role != Role::Manager;
    let is_renamed = User::folded(&before.username) != User::folded(&after.username);
    let leave = ends_managing.then_some(Work::LeaveEvents { user });
    let rename = is_renamed.then(|| Work::Rename { user, before: before.username.clone() });
    leave.into_iter().chain(rename).map(|work| begun_put(work, now)).collect()
}

/// The write that says whether events can list the user as a manager, if a change of role changes that.
fn managing(before: &User, after: &User) -> Option<RecordWrite> {
    match (before.role == Role::Manager, after.role == Role::Manager) {
        (true, false) => Some(no_managing(after.id)),
        (false, true) => Some(managing_again(after.id)),
        (true, true) | (false, false) => None,
    }
}
