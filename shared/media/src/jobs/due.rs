//! Running the due jobs.

use std::time::Duration;

use futures_util::{StreamExt, future::join_all, stream};
use greenroom_core::{clock::InTime, model::job::Job};
use greenroom_store::{JOB_SHARDS, JobKey, StoreError};

use crate::{Services, delivery};

/// The number of jobs of a shard that run at once.
const MAX_CONCURRENT: usize = 8;
/// How long one job runs before the others have their turn.
const TURN: Duration = Duration::from_secs(2);

/// The outcome of one turn of a due job.
enum Outcome {
    /// It is done or put off, or another runner has it.
    Settled,
    /// It made progress and is still due.
    GotOn,
}

/// Runs the due jobs, page by page, until all are done or put off, or the time is up. A job that fails holds up no
/// other.
///
/// # Errors
/// Jobs could not be looked up, taken or written.
pub async fn run_due(services: &Services, in_time: InTime<'_>) -> Result<(), StoreError> {
    let shards = join_all((0..JOB_SHARDS).map(|shard| run_shard(services, shard, in_time))).await;
    shards.into_iter().collect()
}

async fn run_shard(services: &Services, shard: u8, in_time: InTime<'_>) -> Result<(), StoreError> {
    let (mut after, mut got_on, mut outcome) = (None, false, Ok(()));
    while in_time() {
        let page = services.store.due_jobs(shard, services.clock.now(), after.as_ref()).await?;
        let runs = page.jobs.into_iter().map(|key| async move {
            if in_time() { run(services, &key, in_time).await } else { Ok(Outcome::Settled) }
        });
        for run in stream::iter(runs).buffer_unordered(MAX_CONCURRENT).collect::<Vec<_>>().await {
            match run {
                Ok(Outcome::Settled) => {}
                Ok(Outcome::GotOn) => got_on = true,
                Err(error) => outcome = Err(error),
            }
        }
        after = page.next;
        if after.is_none() && !std::mem::take(&mut got_on) {
            break;
        }
    }
    outcome
}

async fn run(services: &Services, key: &JobKey, in_time: InTime<'_>) -> Result<Outcome, StoreError> {
    let now = services.clock.now();
    let Some(claimed) = services.store.claim_job(key, now).await? else { return Ok(Outcome::Settled) };
    let Job::Work(work) = &claimed.job else {
        delivery::run(services, &claimed).await.map(drop)?;
        return Ok(Outcome::Settled);
    };
    let until = now + TURN;
    let worked = super::run(services, &claimed, work, &|| in_time() && services.clock.now() < until).await?;
    // The shard of a message may have been looked through already.
    delivery::deliver_all(services, &worked.messages).await;
    Ok(if worked.done { Outcome::Settled } else { Outcome::GotOn })
}
