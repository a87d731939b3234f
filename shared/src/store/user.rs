//! Users and their passwords.

use std::convert::Infallible;

use aws_sdk_dynamodb::types::{ConditionCheck, Put, TransactWriteItem, builders::PutBuilder};
use serde::{Deserialize, Serialize};

use super::{
    Item, Key, RACES, Store, StoreError, pause,
    record::{Conflict, Kind, Parent, Record, Refused, Stored, Unique, Write, head, list_of, main_key},
    s,
};
use crate::{
    model::{Event, User},
    password::PasswordHash,
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

/// What a DELETE of a user found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removed {
    /// The user: they are gone.
    Now,
    /// A user who still owns events.
    OwnsEvents,
    /// No such user.
    Before,
}

/// A password's hash as it lies in the table, apart from its user, so that it is in no list.
#[derive(Serialize, Deserialize)]
pub(super) struct Password {
    pub(super) hash: PasswordHash,
}

/// What a user's lists are headed by; `managed` the one of events only.
#[derive(Deserialize)]
struct ListHead {
    count: u64,
    #[serde(default)]
    managed: Vec<u64>,
}

pub(super) fn password_key(user: u64) -> Key {
    Key { pk: format!("USER#{user}"), sk: "PASSWORD".to_owned() }
}

fn events_head(user: u64) -> Key {
    head(list_of(Parent::User(user), Kind::Event))
}

impl Store {
    /// The user who logs in with this name, in any case.
    pub async fn user_named(&self, username: &str) -> Result<Option<User>, StoreError> {
        let found: Option<Stored<User>> = self.record_with(Unique::Username, &User::folded(username)).await?;
        Ok(found.map(|stored| stored.record))
    }

    /// The events that a user manages.
    pub async fn managed_events(&self, user: u64) -> Result<Vec<Stored<Event>>, StoreError> {
        let head: Option<ListHead> = self.item(events_head(user)).await?;
        self.records(&head.map(|head| head.managed).unwrap_or_default()).await
    }

    /// The hash of a user's password; `None` where there is no password yet.
    pub async fn password_hash(&self, user: u64) -> Result<Option<PasswordHash>, StoreError> {
        let password: Option<Password> = self.item(password_key(user)).await?;
        Ok(password.map(|password| password.hash))
    }

    /// Gives a user a password, in place of the one with the hash `replaced` where that is said.
    ///
    /// [`Conflict::Gone`] where there is no such user, [`Conflict::Changed`] where the password is another.
    pub async fn set_password(
        &self,
        user: u64,
        hash: &PasswordHash,
        replaced: Option<&PasswordHash>,
    ) -> Result<Result<(), Conflict>, StoreError> {
        let condition = |put: PutBuilder| match replaced {
            Some(replaced) => put
                .condition_expression("#hash = :replaced")
                .expression_attribute_names("#hash", "hash")
                .expression_attribute_values(":replaced", s(replaced.as_str())),
            None => put,
        };
        self.put_password(user, hash, condition).await
    }

    /// Gives a user their first password.
    ///
    /// [`Conflict::Gone`] where there is no such user, [`Conflict::Changed`] where they have one.
    pub async fn set_first_password(&self, user: u64, hash: &PasswordHash) -> Result<Result<(), Conflict>, StoreError> {
        self.put_password(user, hash, |put| put.condition_expression("attribute_not_exists(PK)")).await
    }

    async fn put_password(
        &self,
        user: u64,
        hash: &PasswordHash,
        condition: impl FnOnce(PutBuilder) -> PutBuilder,
    ) -> Result<Result<(), Conflict>, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(main_key::<User>(user).attributes()))
            .condition_expression("attribute_exists(PK)")
            .build()?;
        let exists = TransactWriteItem::builder().condition_check(check).build();
        let password = Password { hash: hash.clone() };
        let item = Item { key: password_key(user), kind: "Password", entity: &password }.attributes()?;
        let put = condition(Put::builder().table_name(&*self.table).set_item(Some(item)));
        let put = TransactWriteItem::builder().put(put.build()?).build();
        let writes = [(exists, Conflict::Gone), (put, Conflict::Changed)];
        self.commit(writes.into_iter().map(|(item, fails_as)| Write { item, fails_as }).collect()).await
    }

    /// Deletes a user, unless they own events: first they leave the events they manage and the users they made, each in
    /// a transaction of its own, and then they go, on condition that nothing names them any more. Who repeats a
    /// deletion that broke off goes on where it did.
    pub async fn remove_user(&self, id: u64) -> Result<Removed, StoreError> {
        for lost in 0..RACES {
            let (found, head) = tokio::try_join!(self.record::<User>(id), self.item::<ListHead>(events_head(id)))?;
            let Some(user) = found else { return Ok(Removed::Before) };
            if head.as_ref().is_some_and(|head| head.count > 0) {
                return Ok(Removed::OwnsEvents);
            }
            let managed = head.map(|head| head.managed).unwrap_or_default();
            if user.record.creator == Some(id) || !managed.is_empty() || self.has_made_users(id).await? {
                // The user may be among those whom this changes, so what follows is of the next round.
                if self.leave_behind(id, &managed).await?.is_err() {
                    pause(lost).await;
                }
                continue;
            }
            if self.commit(self.farewell(&user)?).await?.is_ok() {
                return Ok(Removed::Now);
            }
            pause(lost).await;
        }
        Err(StoreError::Contended)
    }

    async fn has_made_users(&self, id: u64) -> Result<bool, StoreError> {
        let head: Option<ListHead> = self.item(head(list_of(Parent::User(id), Kind::User))).await?;
        Ok(head.is_some_and(|head| head.count > 0))
    }

    /// Takes a user's name off the events they manage and the users they made.
    async fn leave_behind(&self, id: u64, managed: &[u64]) -> Result<Result<(), Conflict>, StoreError> {
        if let Err(conflict) = self.leave_events(id, managed).await? {
            return Ok(Err(conflict));
        }
        let made: Vec<User> = self.records_of(Parent::User(id)).await?;
        let made: Vec<_> = made.iter().map(User::id).collect();
        for user in self.records::<User>(&made).await? {
            let orphaned = |user: &User| Ok::<_, Refused<Infallible>>(User { creator: None, ..user.clone() });
            if let Err(refused) = self.change_record(user, orphaned).await {
                return refused.into();
            }
        }
        Ok(Ok(()))
    }

    /// Takes a user's name off all events they manage: they are no manager any more.
    pub async fn leave_managed_events(&self, id: u64) -> Result<Result<(), Conflict>, StoreError> {
        let head: Option<ListHead> = self.item(events_head(id)).await?;
        self.leave_events(id, &head.map(|head| head.managed).unwrap_or_default()).await
    }

    async fn leave_events(&self, id: u64, managed: &[u64]) -> Result<Result<(), Conflict>, StoreError> {
        let unmanaged = |event: &Event| {
            let managers = event.managers.iter().copied().filter(|manager| *manager != id).collect();
            Ok::<_, Refused<Infallible>>(Event { managers, ..event.clone() })
        };
        for event in self.records::<Event>(managed).await? {
            if let Err(refused) = self.change_record(event, unmanaged).await {
                return refused.into();
            }
        }
        Ok(Ok(()))
    }

    fn farewell(&self, user: &Stored<User>) -> Result<Vec<Write>, StoreError> {
        let id = user.record.id;
        let mut writes = self.removal(user)?;
        writes.push(self.closing(list_of(Parent::User(id), Kind::User), 0)?);
        writes.push(self.closing(list_of(Parent::User(id), Kind::Event), 0)?);
        writes.push(self.remembering(&user.record)?);
        writes.push(self.delete(password_key(id), None, Conflict::Changed)?);
        Ok(writes)
    }
}
