//! Jobs: the work that a change needs beyond its first transaction. That transaction puts the job, and the job is
//! deleted once it is done. So a fault in between loses no job.
//!
//! A job lies under the time from which on any runner may take it, so a query for due jobs reads no others. A runner
//! takes the lease of a job by a conditional write, so two runners are not at it at once. If a runner dies, its lease
//! ends and another one takes the job. A job that failed is moved to the time of its next attempt.

use aws_sdk_dynamodb::types::ReturnValue;
use greenroom_core::{
    clock::Timestamp,
    id::JobId,
    model::job::{Job, LEASE, Work, wait_after},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Attributes, Item, Key, Store, StoreError, n, record::padded, write::Write};

const JOBS: &str = "JOBS";
/// The number of partitions of the jobs. What organisers and operators do makes jobs, at four writes each. One
/// partition takes 250 of them a second.
pub const JOB_SHARDS: u8 = 4;
/// The number of due jobs that are looked up at once.
const PAGE: usize = 25;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredJob {
    id: JobId,
    job: Job,
    /// How often the job was taken since it last made progress.
    attempts: u32,
    created_at: Timestamp,
    next_attempt_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leased_until: Option<Timestamp>,
}

/// The attributes that say whether a job is due. They can be read even if a later version put a job of another kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Due {
    id: JobId,
    next_attempt_at: Timestamp,
    leased_until: Option<Timestamp>,
}

/// The key of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobKey {
    id: JobId,
    due: Timestamp,
}

/// A job whose lease this process holds.
#[derive(Clone, Debug)]
pub struct ClaimedJob {
    /// The job's key.
    pub key: JobKey,
    /// The work of the job.
    pub job: Job,
    /// How often the job was taken since it last made progress, this time included.
    pub attempts: u32,
    /// When the job became necessary.
    pub created_at: Timestamp,
}

/// Work with a job whose lease this process holds.
#[derive(Clone, Debug)]
pub struct Begun {
    /// The work.
    pub work: Work,
    /// The job.
    pub claimed: ClaimedJob,
}

/// The due jobs of a shard.
#[derive(Clone, Debug)]
pub struct DueJobs {
    /// The jobs that any runner may take, the longest waiting first.
    pub jobs: Vec<JobKey>,
    /// The job to look on behind; `None` if there are no more.
    pub next: Option<JobKey>,
}

impl JobKey {
    fn shard(&self) -> u8 {
        Sha256::digest(self.id.as_str().as_bytes())[0] % JOB_SHARDS
    }

    fn sort_key(&self) -> String {
        format!("{}/{}", sorted(self.due), self.id)
    }

    fn key(&self) -> Key {
        Key { pk: partition(self.shard()), sk: self.sort_key() }
    }
}

impl StoredJob {
    fn key(&self) -> JobKey {
        JobKey { id: self.id.clone(), due: self.next_attempt_at }
    }

    fn item(&self) -> Item<'_, Self> {
        Item { key: self.key().key(), kind: "Job", entity: self }
    }
}

fn partition(shard: u8) -> String {
    format!("{JOBS}#{shard}")
}

fn sorted(at: Timestamp) -> String {
    padded(at.millis().try_into().unwrap_or_default())
}

fn stored(job: Job, now: Timestamp, due: Timestamp) -> StoredJob {
    StoredJob { id: JobId::random(), job, attempts: 0, created_at: now, next_attempt_at: due, leased_until: None }
}

/// The item of a new job that is due at once.
pub(super) fn job_item(job: Job, now: Timestamp) -> Result<(JobKey, Attributes), StoreError> {
    let job = stored(job, now, now);
    Ok((job.key(), job.item().attributes()?))
}

/// The write that puts a new job, due at once. It belongs in the transaction that makes the job necessary.
pub(super) fn job_put(job: impl Into<Job>, now: Timestamp) -> Result<(JobKey, Write), StoreError> {
    let (key, item) = job_item(job.into(), now)?;
    Ok((key, Write::put(item)))
}

/// The write that puts new work, due at this time.
pub(super) fn later_put(work: Work, now: Timestamp, due: Timestamp) -> Result<Write, StoreError> {
    stored(work.into(), now, due).item().put()
}

/// The write that puts new work, whose lease the caller has at once.
pub(super) fn begun_put(work: Work, now: Timestamp) -> Result<(Begun, Write), StoreError> {
    let (claimed, put) = claimed_put(work.clone().into(), now)?;
    Ok((Begun { work, claimed }, put))
}

/// The write that puts a new job, whose lease the caller has at once.
pub(super) fn claimed_put(job: Job, now: Timestamp) -> Result<(ClaimedJob, Write), StoreError> {
    let job = StoredJob { attempts: 1, leased_until: Some(now + LEASE), ..stored(job, now, now) };
    let put = job.item().put()?;
    Ok((ClaimedJob { key: job.key(), job: job.job, attempts: 1, created_at: now }, put))
}

/// The write that deletes a job. It belongs in the transaction that does the rest of the work.
pub(super) fn job_delete(key: &JobKey) -> Write {
    Write::delete(key.key())
}

impl Store {
    /// Puts a new job, due at once, that no other write makes necessary.
    ///
    /// One request, a transaction.
    pub async fn put_job(&self, job: impl Into<Job>, now: Timestamp) -> Result<JobKey, StoreError> {
        let (key, put) = job_put(job, now)?;
        self.transact(&[put]).await.map(|_| key)
    }

    /// Some due jobs of a shard, behind those of an earlier look.
    ///
    /// One request, which reads no other jobs.
    pub async fn due_jobs(&self, shard: u8, now: Timestamp, after: Option<&JobKey>) -> Result<DueJobs, StoreError> {
        let first = after.map_or_else(|| "0".to_owned(), |after| format!("{}!", after.sort_key()));
        let query = self.query(partition(shard)).between(first, sorted(now.next())).limit(PAGE);
        let answer = query.send().await?;
        let due: Vec<Due> = serde_dynamo::from_items(answer.items)?;
        let key = |due: &Due| JobKey { id: due.id.clone(), due: due.next_attempt_at };
        let next = due.last().filter(|_| answer.next.is_some()).map(key);
        let free = due.iter().filter(|due| due.leased_until.is_none_or(|until| until <= now));
        Ok(DueJobs { jobs: free.map(key).collect(), next })
    }

    /// Takes the lease of a job. `None` if another runner has it, or the job is done or was moved.
    pub async fn claim_job(&self, key: &JobKey, now: Timestamp) -> Result<Option<ClaimedJob>, StoreError> {
        let claiming = Write::update(key.key(), "SET leasedUntil = :leased ADD attempts :one")
            .when("attribute_exists(PK) AND (attribute_not_exists(leasedUntil) OR leasedUntil <= :now)")
            .value(":leased", n((now + LEASE).millis()))
            .value(":now", n(now.millis()))
            .value(":one", n(1))
            .returning(ReturnValue::AllNew);
        let Ok(item) = self.write(claiming).await? else { return Ok(None) };
        let job: StoredJob = serde_dynamo::from_item(item)?;
        Ok(Some(ClaimedJob { key: job.key(), job: job.job, attempts: job.attempts, created_at: job.created_at }))
    }

    /// Removes a job that is done or given up.
    pub async fn remove_job(&self, key: &JobKey) -> Result<(), StoreError> {
        self.write(job_delete(key)).await.map(drop)
    }

    /// Gives a failed job back, due after a wait. The wait grows with the number of attempts.
    pub async fn put_off_job(&self, claimed: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
        self.move_job(claimed, now + wait_after(claimed.attempts), claimed.attempts).await
    }

    /// Gives a job back that made progress and is not done. It goes behind all other due jobs.
    pub async fn leave_job(&self, claimed: &ClaimedJob, now: Timestamp) -> Result<(), StoreError> {
        self.move_job(claimed, now, 0).await
    }

    /// Makes a job due at this time. If another runner has taken it since, that runner keeps it.
    async fn move_job(&self, claimed: &ClaimedJob, due: Timestamp, attempts: u32) -> Result<(), StoreError> {
        let ClaimedJob { key, job, created_at, .. } = claimed.clone();
        let moved =
            StoredJob { id: key.id.clone(), job, attempts, created_at, next_attempt_at: due, leased_until: None };
        let same_place = moved.key() == key;
        let put = moved.item().put()?;
        let unless_taken = |write: Write| write.when("attempts = :attempts").value(":attempts", n(claimed.attempts));
        if same_place {
            return self.write(unless_taken(put)).await.map(drop);
        }
        self.transact(&[unless_taken(job_delete(&key)), put]).await.map(drop)
    }
}
