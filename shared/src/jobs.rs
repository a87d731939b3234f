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
    App,
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
pub async fn go_on(app: &App, begun: Begun) {
    let app = app.clone();
    let going_on = async move {
        let until = app.clock.now() + BEGINNING;
        let worked = run(&app, &begun.claimed, &begun.work, &|| app.clock.now() < until).await;
        match worked {
            Ok(worked) => deliver(&app, &worked.messages).await,
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
async fn run(app: &App, claimed: &ClaimedJob, work: &Work, in_time: InTime<'_>) -> Result<Worked, StoreError> {
    let tools = Tools { clock: &app.clock, domain: &app.config.xmpp_domain, in_time };
    let worked = app.store.work_off(work, claimed.created_at, tools).await;
    let now = app.clock.now();
    match &worked {
        Ok(Worked { done: true, .. }) => app.store.remove_job(&claimed.key).await?,
        Ok(_) => app.store.leave_job(claimed, now).await?,
        Err(error) => {
            tracing::warn!(%error, attempts = claimed.attempts, "what is left of a change is put off");
            app.store.put_off_job(claimed, now).await?;
        }
    }
    worked
}

/// Tells media servers what the work has led to. Functions that know none do no work that leads to that.
#[cfg(feature = "provider")]
async fn deliver(app: &App, messages: &[JobKey]) {
    crate::delivery::deliver_all(app, messages).await;
}

#[cfg(not(feature = "provider"))]
#[expect(clippy::unused_async, reason = "as its other self")]
async fn deliver(_: &App, _: &[JobKey]) {}
