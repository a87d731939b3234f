//! Meters: how much of the table a request or a run of a job uses. Uses are counted where they happen; the report of
//! the request reads them.
//!
//! A meter belongs to a task and all futures that it awaits. A further task that works for the same request takes the
//! meter along with [`carried`].

use std::sync::{Arc, Mutex, PoisonError};

use greenroom_core::{id::RequestId, model::guesses::SourceAddress};
use serde::Serialize;

tokio::task_local! {
    static CURRENT: Arc<Meter>;
}

/// The use of the table.
///
/// Units are `DynamoDB`'s, as its answers report them. A write whose condition fails is paid for too, but its error
/// reports no units: it counts as the least that it can cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Retries.
    pub retries: u64,
    /// Outbox messages to media servers that were given up.
    pub outbox_messages_given_up: u64,
    /// Live connections that differed from the media server's lists and were mended.
    pub differences_mended: u64,
    /// Reports of a media server about rooms and participants of other applications.
    pub foreign_reports: u64,
}

/// The request that uses something.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The id of the request; `None` if it has none.
    pub id: Option<RequestId>,
    /// The address that it came from.
    pub source: SourceAddress,
}

impl Origin {
    /// Work without a request.
    pub const NONE: Self = Self { id: None, source: SourceAddress(None) };
}

/// The running request, as lines of the log name it. `tracing-subscriber` names a span in this form.
#[derive(Serialize)]
pub(crate) struct Span {
    name: &'static str,
    id: String,
}

impl Span {
    /// `None` outside a request, and if the request has no id.
    pub(crate) fn current() -> Option<Self> {
        CURRENT
            .try_with(|meter| meter.origin.id.clone())
            .ok()
            .flatten()
            .map(|RequestId(id)| Self { name: "request", id })
    }
}

/// Counts uses.
#[derive(Debug)]
pub struct Meter {
    used: Mutex<Usage>,
    origin: Origin,
}

impl Meter {
    /// A meter at zero for this request.
    #[must_use]
    pub fn new(origin: Origin) -> Arc<Self> {
        Arc::new(Self { used: Mutex::default(), origin })
    }

    /// A meter at zero for the running request, whose uses are reported separately.
    #[must_use]
    pub fn beside() -> Arc<Self> {
        Self::new(origin())
    }

    /// Runs a future and counts its uses.
    pub async fn scope<T>(self: Arc<Self>, future: impl Future<Output = T>) -> T {
        CURRENT.scope(self, future).await
    }

    /// The request that is metered.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Runs work that does not wait, as a part of the metered request.
    pub fn in_scope<T>(self: &Arc<Self>, work: impl FnOnce() -> T) -> T {
        CURRENT.sync_scope(self.clone(), work)
    }

    /// The uses so far.
    #[must_use]
    pub fn usage(&self) -> Usage {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The meter of the running task; `None` if it has none.
#[must_use]
pub fn current() -> Option<Arc<Meter>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The running request.
#[must_use]
pub fn origin() -> Origin {
    CURRENT.try_with(|meter| meter.origin.clone()).unwrap_or(Origin::NONE)
}

/// Counts a use of the running task.
pub fn count(change: impl FnOnce(&mut Usage)) {
    // Without a meter there is nothing to count.
    let _ = CURRENT.try_with(|meter| change(&mut meter.used.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// Runs a future. Returns its result and its uses.
pub async fn metered<T>(future: impl Future<Output = T>) -> (T, Usage) {
    let meter = Meter::beside();
    let outcome = meter.clone().scope(future).await;
    (outcome, meter.usage())
}

/// The same work, counted by the running task's meter in whichever task it runs. Uses after the report of the request
/// are in no report.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let meter = current();
    async move {
        match meter {
            Some(meter) => meter.scope(work).await,
            None => work.await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn use_one() {
        tokio::task::yield_now().await;
        count(|usage| usage.requests += 1);
    }

    #[tokio::test]
    async fn what_a_task_of_its_own_uses_counts_where_the_meter_was_carried() {
        let ((), usage) = metered(async {
            use_one().await;
            tokio::spawn(carried(use_one())).await.unwrap();
            tokio::spawn(use_one()).await.unwrap();
        })
        .await;
        assert_eq!(usage.requests, 2);
        use_one().await;
        assert!(current().is_none());
    }
}
