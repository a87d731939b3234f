//! Which users, events and parts of events a user may see.

use greenroom_core::model::{Event, User, user::Role};

use super::{
    Store, StoreError,
    record::{Parent, Record, Selection},
};

impl Store {
    /// The events that a user may see.
    pub async fn events_seen_by(&self, user: &User) -> Result<Selection<Event>, StoreError> {
        Ok(match user.role {
            Role::Admin => Selection::all(),
            Role::Partner => Selection::of([Parent::User(user.id)]),
            Role::Manager => {
                let managed = self.managed_events(user.id).await?;
                Selection::only(managed.into_iter().map(|stored| stored.record).collect())
            }
        })
    }

    /// The users that a user may see.
    #[must_use]
    pub fn users_seen_by(user: &User) -> Selection<User> {
        match user.role {
            Role::Admin => Selection::all(),
            Role::Partner => {
                let himself = if user.creator == Some(user.id) { Vec::new() } else { vec![user.clone()] };
                Selection { parents: Some(vec![Parent::User(user.id)]), beside: himself, ended: Vec::new() }
            }
            Role::Manager => Selection::only(vec![user.clone()]),
        }
    }

    /// The parts of the events that a user may see.
    pub async fn parts_seen_by<T: Record>(&self, user: &User) -> Result<Selection<T>, StoreError> {
        let events: Vec<Event> = match user.role {
            Role::Admin => return Ok(Selection { ended: self.ended_events().await?, ..Selection::all() }),
            Role::Partner => self.records_of(Parent::User(user.id)).await?,
            Role::Manager => self.managed_events(user.id).await?.into_iter().map(|stored| stored.record).collect(),
        };
        Ok(Selection::of(events.into_iter().map(|event| Parent::Event(event.id))))
    }

    /// An event, if a user may see it.
    pub async fn event_seen_by(&self, user: &User, event: u64) -> Result<Option<Event>, StoreError> {
        let event = self.record::<Event>(event).await?.map(|stored| stored.record);
        Ok(event.filter(|event| user.sees_event(event)))
    }

    /// The parts of one event. Nothing if a user may not see the event.
    pub async fn parts_of<T: Record>(&self, user: &User, event: u64) -> Result<Selection<T>, StoreError> {
        let event = self.event_seen_by(user, event).await?;
        Ok(Selection::of(event.map(|event| Parent::Event(event.id))))
    }

    /// The part with this number, if a user may see its event.
    pub async fn only_part_seen_by<T: Record>(&self, user: &User, id: u64) -> Result<Selection<T>, StoreError> {
        let part = self.part_seen_by::<T>(user, id).await?;
        Ok(Selection::only(part.into_iter().map(|(stored, _)| stored.record).collect()))
    }

    /// A part with its event, if a user may see the event.
    pub async fn part_seen_by<T: Record>(
        &self,
        user: &User,
        id: u64,
    ) -> Result<Option<(super::Stored<T>, Event)>, StoreError> {
        let Some(part) = self.record::<T>(id).await? else { return Ok(None) };
        let Some(Parent::Event(event)) = part.record.parent() else { return Ok(None) };
        Ok(self.event_seen_by(user, event).await?.map(|event| (part, event)))
    }
}
