//! What a request, or a run of a job, uses of the table: counted where it is used, read by whoever reports it.
//!
//! A meter belongs to a task and what it awaits. A task of its own that works for a request takes the meter along with
//! [`carried`].

use std::sync::{Arc, Mutex, PoisonError};

use crate::{id::RequestId, model::guesses::Source, trace::Trace};

tokio::task_local! {
    static CURRENT: Arc<Meter>;
}

/// What has been used of the table.
///
/// Units are `DynamoDB`'s, as its answers give them. A write whose condition fails is paid for too, but its error gives
/// no figure: it counts as the least that it can cost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
    /// Requests sent, those that repeat one among them.
    pub requests: u64,
    /// Requests that repeat one.
    pub retries: u64,
    /// Outbox messages to media servers that were given up.
    pub outbox_messages_given_up: u64,
}

/// The request that something is used for.
#[derive(Clone, Debug)]
pub struct Origin {
    /// What it is called; `None` where nobody called it anything.
    pub id: Option<RequestId>,
    /// Where it came from.
    pub source: Source,
}

impl Origin {
    /// What no request asks for.
    pub const NONE: Self = Self { id: None, source: Source(None) };
}

/// Counts what is used.
#[derive(Debug)]
pub struct Meter {
    used: Mutex<Usage>,
    trace: Option<Trace>,
    origin: Origin,
}

impl Meter {
    /// A meter at zero, of something that is traced, or is not.
    #[must_use]
    pub fn new(trace: Option<Trace>) -> Arc<Self> {
        Self::of_request(trace, Origin::NONE)
    }

    /// The same, of this request.
    #[must_use]
    pub fn of_request(trace: Option<Trace>, origin: Origin) -> Arc<Self> {
        Arc::new(Self { used: Mutex::default(), trace, origin })
    }

    /// A meter at zero of the request that runs now, for what is reported by itself.
    #[must_use]
    pub fn beside() -> Arc<Self> {
        Self::of_request(None, origin())
    }

    /// Counts what this does.
    pub async fn scope<T>(self: Arc<Self>, future: impl Future<Output = T>) -> T {
        CURRENT.scope(self, future).await
    }

    /// What has been used until now.
    #[must_use]
    pub fn usage(&self) -> Usage {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The request that this is used for.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The trace that this is part of.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_ref()
    }
}

/// The meter of what runs now; `None` where nobody counts.
#[must_use]
pub fn current() -> Option<Arc<Meter>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// The request that runs now.
pub(crate) fn origin() -> Origin {
    CURRENT.try_with(|meter| meter.origin().clone()).unwrap_or(Origin::NONE)
}

/// Counts something towards what runs now.
pub(crate) fn count(change: impl FnOnce(&mut Usage)) {
    // Where nobody counts there is nothing to do.
    let _ = CURRENT.try_with(|meter| change(&mut meter.used.lock().unwrap_or_else(PoisonError::into_inner)));
}

/// What this does, and what it uses.
pub async fn metered<T>(future: impl Future<Output = T>) -> (T, Usage) {
    let meter = Meter::beside();
    let outcome = meter.clone().scope(future).await;
    (outcome, meter.usage())
}

/// The same work, counted towards what runs now, in whichever task it is done. What it uses after that has been
/// reported is in no report.
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
