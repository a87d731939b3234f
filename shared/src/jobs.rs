//! Doing the jobs that changes have put.
//!
//! The first transaction of a change answers the request. The request then works on the job for a moment, so that small
//! work is done when the answer comes. It succeeds even if that fails: the job stays for [`run_due`].

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

/// How long a request works on its job before it is answered.
const BEGINNING: Duration = Duration::from_secs(1);
/// The timeout for that in all, in case the table does not answer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Works for a moment on a job that this request put. Any runner may do the rest. Errors are logged.
pub async fn go_on(services: &Services, begun: Begun) {
    let services = services.clone();
    let going_on = async move {
        let until = services.clock.now() + BEGINNING;
        let worked = run(&services, &begun.claimed, &begun.work, &|| services.clock.now() < until).await;
        match worked {
            Ok(worked) => deliver(&services, &worked.messages).await,
            Err(error) => tracing::warn!(%error, "the rest of a change is finished later"),
        }
    };
    // The task goes on if the caller hangs up.
    if timeout(ANSWERED_WITHIN, tokio::spawn(carried(going_on))).await.is_err() {
        tracing::warn!("the rest of a change is finished later");
    }
}

/// Works on a job whose lease this process has, while there is time. Gives the job back if it is not done by then, and
/// puts it off if it fails.
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
            tracing::warn!(%error, attempts = claimed.attempts, "the rest of a change is put off");
            services.store.put_off_job(claimed, now).await?;
        }
    }
    worked
}

/// Delivers the outbox messages that the work has put. A function without a media provider does no work that puts any.
#[cfg(feature = "provider")]
async fn deliver(services: &Services, messages: &[JobKey]) {
    crate::delivery::deliver_all(services, messages).await;
}

#[cfg(not(feature = "provider"))]
#[expect(clippy::unused_async, reason = "as its other self")]
async fn deliver(_: &Services, _: &[JobKey]) {}
