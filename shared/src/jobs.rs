//! Doing the jobs that changes have put.
//!
//! A change is answered by its first transaction. Whoever made it goes on with the job for a moment, so that what is
//! small is done when the answer comes, and does not fail where that fails: the job stays, for [`run_due`].

#[cfg(feature = "provider")]
mod due;

use std::time::Duration;

use tokio::time::timeout;

#[cfg(feature = "provider")]
pub use self::due::run_due;
use crate::{
    Services,
    clock::InTime,
    meter::carried,
    model::job::Work,
    store::{Begun, ClaimedJob, JobKey, StoreError, Tools, Worked},
};

/// How long a request goes on with what it has begun before it is answered.
const BEGINNING: Duration = Duration::from_secs(1);
/// How long the answer waits for that in all, also where the table does not answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Goes on with work that was begun, for a moment; what is left then is anybody's. What goes wrong is in the log.
pub async fn go_on(services: &Services, begun: Begun) {
    let services = services.clone();
    let going_on = async move {
        let until = services.clock.now() + BEGINNING;
        let worked = run(&services, &begun.claimed, &begun.work, &|| services.clock.now() < until).await;
        match worked {
            Ok(worked) => deliver(&services, &worked.messages).await,
            Err(error) => tracing::warn!(%error, "what is left of a change is gone on with later"),
        }
    };
    // Goes on where the caller hangs up.
    if timeout(ANSWERED_WITHIN, tokio::spawn(carried(going_on))).await.is_err() {
        tracing::warn!("what is left of a change is gone on with later");
    }
}

/// Does work that is ours for as long as there is time, and leaves what is not done by then to others. Work that fails
/// is put off.
async fn run(
    services: &Services,
    claimed: &ClaimedJob,
    work: &Work,
    in_time: InTime<'_>,
) -> Result<Worked, StoreError> {
    let tools = Tools { clock: &services.clock, domain: &services.config.xmpp_domain, in_time };
    let worked = services.store.work_off(work, claimed.created_at, tools).await;
    let now = services.clock.now();
    match &worked {
        Ok(Worked { done: true, .. }) => services.store.remove_job(&claimed.key).await?,
        Ok(_) => services.store.leave_job(claimed, now).await?,
        Err(error) => {
            tracing::warn!(%error, attempts = claimed.attempts, "what is left of a change is put off");
            services.store.put_off_job(claimed, now).await?;
        }
    }
    worked
}

/// Tells media servers what the work has led to. Functions that know none do no work that leads to that.
#[cfg(feature = "provider")]
async fn deliver(services: &Services, messages: &[JobKey]) {
    crate::delivery::deliver_all(services, messages).await;
}

#[cfg(not(feature = "provider"))]
#[expect(clippy::unused_async, reason = "as its other self")]
async fn deliver(_: &Services, _: &[JobKey]) {}
