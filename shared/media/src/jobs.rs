//! Doing the jobs that changes have put.
//!
//! The first transaction of a change answers the request. The request then works on the job for a moment, so that small
//! work is done when the answer comes. It succeeds even if that fails: the job stays for [`run_due`].

mod due;

use std::time::Duration;

use greenroom_core::{clock::InTime, model::job::Work};
use greenroom_store::{Begun, ClaimedJob, JobKey, StoreError, Tools, Worked};
use greenroom_telemetry::meter::carried;
use tokio::time::timeout;

pub use self::due::run_due;
use crate::{Services, delivery::deliver_all};

/// How long a request works on its job before it is answered.
const BEGINNING: Duration = Duration::from_secs(1);

/// Works for a moment on a job that this request put. Its work must be of a kind that puts no outbox messages. Any
/// runner may do the rest. Errors are logged.
pub async fn go_on(services: &Services, begun: Begun) {
    let (limit, services) = (services.config.timing.job, services.clone());
    before_the_answer(limit, async move {
        begin(&services, &begun).await;
    })
    .await;
}

/// Works for a moment on a job that this request put, and delivers the outbox messages that the work has put. Any
/// runner may do the rest. Errors are logged.
///
/// It is apart from [`go_on`] so that functions whose work puts no outbox messages do not link the media provider.
pub async fn go_on_and_deliver(services: &Services, begun: Begun) {
    let (limit, services) = (services.config.timing.job, services.clone());
    before_the_answer(limit, async move {
        deliver_all(&services, &begin(&services, &begun).await).await;
    })
    .await;
}

/// Works on the job for a moment. Returns the outbox messages that the work has put.
async fn begin(services: &Services, begun: &Begun) -> Vec<JobKey> {
    let until = services.clock.now() + BEGINNING;
    let worked = run(services, &begun.claimed, &begun.work, &|| services.clock.now() < until).await;
    worked.map_or_else(
        |error| {
            tracing::warn!(%error, "the rest of a change is finished later");
            Vec::new()
        },
        |worked| worked.messages,
    )
}

/// Waits for work for as long as the answer may wait, in case the table does not answer. The work goes on if the caller hangs up.
async fn before_the_answer(limit: Duration, work: impl Future<Output = ()> + Send + 'static) {
    if timeout(limit, tokio::spawn(carried(work))).await.is_err() {
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
