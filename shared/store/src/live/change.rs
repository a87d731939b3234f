//! Changing the connection under a name.

use aws_sdk_dynamodb::types::CancellationReason;
use greenroom_core::{clock::Timestamp, model::live::LiveConnection};

use super::{ledger::ledger_change, live_item};
use crate::{
    Store, StoreError,
    attempts::Attempts,
    error::{failed_first, is_failed_condition},
    transaction::Committed,
    write::Write,
};

/// The outcome of a change of a name.
pub(super) enum Changed<T> {
    /// The name has the state that it had to get.
    To(T),
    /// The condition of another item failed.
    Refused,
}

/// The next state that a transition gives a name.
pub(super) enum Step<T> {
    /// The name stays as it is.
    Stay(T),
    /// The name changes to this connection.
    To(Box<LiveConnection>, T),
}

impl Store {
    /// Changes a name to what `step` makes of it. `step` sees `before` first, and then the stored state if that
    /// differs. `with` holds other writes for the same transaction, whose conditions have to hold too.
    pub(super) async fn change_live<T>(
        &self,
        mut before: Option<LiveConnection>,
        step: impl Fn(Option<&LiveConnection>) -> Step<T>,
        with: Vec<Write>,
        now: Timestamp,
    ) -> Result<Changed<T>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let (after, outcome) = match step(before.as_ref()) {
                Step::Stay(outcome) => return Ok(Changed::To(outcome)),
                Step::To(after, outcome) => (after, outcome),
            };
            let mut writes = live_change(before.as_ref(), *after, now)?;
            writes.extend(with.iter().cloned());
            match self.transact(&writes).await? {
                Committed::Yes => return Ok(Changed::To(outcome)),
                // The condition on the name comes first.
                Committed::No(reasons) if !with.is_empty() && !failed_first(&reasons) => return Ok(Changed::Refused),
                Committed::No(reasons) => before = found_first(reasons)?,
            }
            attempts.lost_knowingly().await?;
        }
    }
}

/// The writes that change `before` to `after`, in the table and in the ledger. The first has the condition that the
/// item is still `before`.
pub(super) fn live_change(
    before: Option<&LiveConnection>,
    mut after: LiveConnection,
    now: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    after.revision = before.map_or(0, |before| before.revision + 1);
    let put =
        live_item(&after)?.put()?.when_unchanged(before.map(|before| before.revision.into())).returning_on_failure();
    let mut writes = vec![put];
    writes.extend(ledger_change(before, &after, now)?);
    Ok(writes)
}

/// The item that the condition of a transaction's first write failed on.
fn found_first(reasons: Vec<CancellationReason>) -> Result<Option<LiveConnection>, StoreError> {
    let first = reasons.into_iter().next().filter(is_failed_condition);
    Ok(first.and_then(|reason| reason.item).map(serde_dynamo::from_item).transpose()?)
}
