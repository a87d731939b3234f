//! Unique values that records of an ended event still hold. A new record can take them over.

use greenroom_core::model::Event;

use crate::{
    Store, StoreError,
    attempts::Attempts,
    record::{Conflict, Parent, Record, Refused, Stored, Unique},
};

impl Store {
    /// Stores a new record of an event. If a record of an ended event holds its unique value, that record is deleted
    /// first.
    pub async fn insert_in_event<T: Record>(&self, record: &T) -> Result<Result<(), Conflict>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let outcome = self.insert_record(record).await?;
            let Err(Conflict::Taken(unique)) = outcome else { return Ok(outcome) };
            if !self.free(unique, record).await? {
                return Ok(outcome);
            }
            attempts.lost().await?;
        }
    }

    /// Changes a record of an event. If a record of an ended event holds its new unique value, that record is deleted
    /// first.
    pub async fn change_in_event<T, E>(&self, stored: Stored<T>, change: impl Fn(&T) -> Result<T, E>) -> Result<T, E>
    where
        T: Record,
        E: From<StoreError> + From<Conflict>,
    {
        let mut attempts = Attempts::default();
        loop {
            let outcome: Result<T, Refused<E>> =
                self.change_record(stored.clone(), |record| change(record).map_err(Refused::Change)).await;
            match outcome {
                Ok(changed) => return Ok(changed),
                Err(Refused::Change(error)) => return Err(error),
                Err(Refused::Store(error)) => return Err(error.into()),
                Err(Refused::Conflict(Conflict::Taken(unique))) => {
                    if !self.free(unique, &change(&stored.record)?).await? {
                        return Err(Conflict::Taken(unique).into());
                    }
                    attempts.lost().await?;
                }
                Err(Refused::Conflict(conflict)) => return Err(conflict.into()),
            }
        }
    }

    /// Deletes the record that holds a unique value, if its event has ended. Returns `false` if the event is there.
    pub async fn free<T: Record>(&self, unique: Unique, wanted: &T) -> Result<bool, StoreError> {
        let value = wanted.unique().into_iter().find(|(kind, _)| *kind == unique);
        let Some((_, value)) = value else { return Ok(false) };
        let Some(holder) = self.record_with::<T>(unique, &value).await? else { return Ok(true) };
        let Some(Parent::Event(event)) = holder.record.parent() else { return Ok(false) };
        if self.ended_event(event).await?.is_some() {
            self.clear_piece(event, &[holder]).await?;
            return Ok(true);
        }
        // Another worker may just have deleted all of it.
        Ok(self.record::<Event>(event).await?.is_none())
    }
}
