//! Committing the writes of records, and the meaning of their failed conditions.

use aws_sdk_dynamodb::types::CancellationReason;

use super::{Conflict, RecordWrite, counter_items::list_counted_in_one};
use crate::{
    Store, StoreError,
    error::{is_failed_condition, is_met},
    transaction::{Attempted, Committed},
    write::Write,
};

/// The outcome of one attempt at a change of a record.
pub(super) enum Attempt {
    Done,
    Failed(Conflict),
    /// Other transactions are working on the item of this name.
    Met(String),
    /// Nothing was written, but this process now knows that a list is spread.
    LearntOfSpread,
}

impl Store {
    /// Makes one attempt at a change of a record. If it meets other transactions at the only counter item of a list, it
    /// spreads the list, so that the next attempt does not meet them.
    pub(super) async fn attempt(&self, writes: Vec<RecordWrite>) -> Result<Attempt, StoreError> {
        let (writes, meanings) = split(writes);
        match self.attempt_transaction(&writes).await? {
            Attempted::Yes => Ok(Attempt::Done),
            Attempted::No(reasons) => self.refused(&reasons, &meanings, &writes).await,
            Attempted::Met(reasons) => {
                let met = || writes.iter().zip(&reasons).filter(|(_, reason)| is_met(reason)).map(|(write, _)| write);
                if let Some(list) = met().find_map(list_counted_in_one) {
                    self.spread(list).await?;
                    return Ok(Attempt::LearntOfSpread);
                }
                Ok(Attempt::Met(met().next().map_or_else(String::new, Write::item_name)))
            }
        }
    }

    /// Commits writes that belong together. If they fail because this process did not know that a list is spread,
    /// returns [`Conflict::Changed`], and the same change may be possible now.
    pub(crate) async fn commit(&self, writes: Vec<RecordWrite>) -> Result<Result<(), Conflict>, StoreError> {
        let (writes, meanings) = split(writes);
        match self.transact(&writes).await? {
            Committed::Yes => Ok(Ok(())),
            Committed::No(reasons) => match self.refused(&reasons, &meanings, &writes).await? {
                Attempt::Failed(conflict) => Ok(Err(conflict)),
                Attempt::Done | Attempt::Met(_) | Attempt::LearntOfSpread => Ok(Err(Conflict::Changed)),
            },
        }
    }

    /// The meaning of a failed condition. If it failed at the first counter item of a list that is spread, only the
    /// process's knowledge was outdated.
    async fn refused(
        &self,
        reasons: &[CancellationReason],
        meanings: &[Conflict],
        writes: &[Write],
    ) -> Result<Attempt, StoreError> {
        let mut failed = reasons.iter().zip(meanings.iter().zip(writes));
        let failed = failed.find(|(reason, _)| is_failed_condition(reason));
        let Some((_, (conflict, write))) = failed else { return Ok(Attempt::Failed(Conflict::Changed)) };
        match list_counted_in_one(write) {
            Some(list) if self.learns_of(list).await? => Ok(Attempt::LearntOfSpread),
            _ => Ok(Attempt::Failed(*conflict)),
        }
    }
}

fn split(writes: Vec<RecordWrite>) -> (Vec<Write>, Vec<Conflict>) {
    writes.into_iter().map(|RecordWrite { write, fails_as }| (write, fails_as)).unzip()
}
