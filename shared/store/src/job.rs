//! Jobs: the work that a change needs beyond its first transaction. That transaction puts the job, and the job is
//! deleted once it is done. So a fault in between loses no job.
//!
//! A job lies under the time from which on any runner may take it, so a query for due jobs reads no others. A runner
//! takes the lease of a job by a conditional write, so two runners are not at it at once. If a runner dies, its lease
//! ends and another one takes the job. A job that failed is moved to the time of its next attempt.

use aws_sdk_dynamodb::types::{Delete, Put, ReturnValue, TransactWriteItem};
use greenroom_core::{
    clock::Timestamp,
    id::JobId,
    model::job::{Job, LEASE, Work, wait_after},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Attributes, Item, Key, Store, StoreError, error::item_in_the_way, n, record::padded, s};

const JOBS: &str = "JOBS";
/// The number of partitions of the jobs. What organisers and operators do makes jobs, at four writes each. One
/// partition takes 250 of them a second.
pub const JOB_SHARDS: u8 = 4;
/// The number of due jobs that are looked up at once.
const PAGE: i32 = 25;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
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

impl Entry {
    fn key(&self) -> JobKey {
        JobKey { id: self.id.clone(), due: self.next_attempt_at }
    }

    fn attributes(&self) -> Result<Attributes, StoreError> {
        Item { key: self.key().key(), kind: "Job", entity: self }.attributes()
    }
}

fn partition(shard: u8) -> String {
    format!("{JOBS}#{shard}")
}

fn sorted(at: Timestamp) -> String {
    padded(at.millis().try_into().unwrap_or_default())
}

fn entry(job: Job, now: Timestamp, due: Timestamp) -> Entry {
    Entry { id: JobId::random(), job, attempts: 0, created_at: now, next_attempt_at: due, leased_until: None }
}

/// The item of a new job that is due at once.
pub(super) fn job_item(job: Job, now: Timestamp) -> Result<(JobKey, Attributes), StoreError> {
    let entry = entry(job, now, now);
    Ok((entry.key(), entry.attributes()?))
}

impl Store {
    /// The write that puts a new job, due at once. It belongs in the transaction that makes the job necessary.
    pub fn job_put(&self, job: impl Into<Job>, now: Timestamp) -> Result<(JobKey, TransactWriteItem), StoreError> {
        let (key, item) = job_item(job.into(), now)?;
        Ok((key, self.put_of(item)?))
    }

    /// The write that puts new work, due at this time.
    pub(super) fn later_put(
        &self,
        work: Work,
        now: Timestamp,
        due: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        self.put_of(entry(work.into(), now, due).attributes()?)
    }

    /// The write that puts new work, whose lease the caller has at once.
    pub(super) fn begun_put(&self, work: Work, now: Timestamp) -> Result<(Begun, TransactWriteItem), StoreError> {
        let (claimed, put) = self.claimed_put(work.clone().into(), now)?;
        Ok((Begun { work, claimed }, put))
    }

    /// The write that puts a new job, whose lease the caller has at once.
    pub(super) fn claimed_put(&self, job: Job, now: Timestamp) -> Result<(ClaimedJob, TransactWriteItem), StoreError> {
        let entry = Entry { attempts: 1, leased_until: Some(now + LEASE), ..entry(job, now, now) };
        let put = self.put_of(entry.attributes()?)?;
        Ok((ClaimedJob { key: entry.key(), job: entry.job, attempts: 1, created_at: now }, put))
    }

    /// The write that deletes a job. It belongs in the transaction that does the rest of the work.
    pub(super) fn job_delete(&self, key: &JobKey) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder().table_name(&*self.table).set_key(Some(key.key().attributes())).build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn put_of(&self, item: Attributes) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    /// Some due jobs of a shard, behind those of an earlier look.
    ///
    /// One request, which reads no other jobs.
    pub async fn due_jobs(&self, shard: u8, now: Timestamp, after: Option<&JobKey>) -> Result<DueJobs, StoreError> {
        let first = after.map_or_else(|| "0".to_owned(), |after| format!("{}!", after.sort_key()));
        let query = self
            .client
            .query()
            .table_name(&*self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK BETWEEN :first AND :last")
            .expression_attribute_values(":pk", s(partition(shard)))
            .expression_attribute_values(":first", s(first))
            .expression_attribute_values(":last", s(sorted(now.next())))
            .limit(PAGE);
        let output = query.send().await?;
        let due: Vec<Due> = serde_dynamo::from_items(output.items.unwrap_or_default())?;
        let key = |due: &Due| JobKey { id: due.id.clone(), due: due.next_attempt_at };
        let next = due.last().filter(|_| output.last_evaluated_key.is_some()).map(key);
        let free = due.iter().filter(|due| due.leased_until.is_none_or(|until| until <= now));
        Ok(DueJobs { jobs: free.map(key).collect(), next })
    }

    /// Takes the lease of a job. `None` if another runner has it, or the job is done or was moved.
    pub async fn claim_job(&self, key: &JobKey, now: Timestamp) -> Result<Option<ClaimedJob>, StoreError> {
        let update = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.key().attributes()))
            .update_expression("SET leasedUntil = :leased ADD attempts :one")
            .condition_expression("attribute_exists(PK) AND (attribute_not_exists(leasedUntil) OR leasedUntil <= :now)")
            .expression_attribute_values(":leased", n((now + LEASE).millis()))
            .expression_attribute_values(":now", n(now.millis()))
            .expression_attribute_values(":one", n(1))
            .return_values(ReturnValue::AllNew);
        let output = match update.send().await {
            Ok(output) => output,
            Err(error) => return item_in_the_way(error).map(|_| None),
        };
        let entry: Option<Entry> = output.attributes.map(serde_dynamo::from_item).transpose()?;
        Ok(entry.map(|entry| ClaimedJob {
            key: entry.key(),
            job: entry.job,
            attempts: entry.attempts,
            created_at: entry.created_at,
        }))
    }

    /// Removes a job that is done or given up.
    pub async fn remove_job(&self, key: &JobKey) -> Result<(), StoreError> {
        self.client.delete_item().table_name(&*self.table).set_key(Some(key.key().attributes())).send().await?;
        Ok(())
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
        let seen = ":attempts";
        let entry = Entry { id: key.id.clone(), job, attempts, created_at, next_attempt_at: due, leased_until: None };
        let same_place = entry.key() == key;
        let item = entry.attributes()?;
        if same_place {
            let put = self.client.put_item().table_name(&*self.table).set_item(Some(item));
            let put = put.condition_expression("attempts = :attempts");
            let put = put.expression_attribute_values(seen, n(claimed.attempts)).send().await;
            return put.map(drop).or_else(|error| item_in_the_way(error).map(drop));
        }
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(key.key().attributes()))
            .condition_expression("attempts = :attempts")
            .expression_attribute_values(seen, n(claimed.attempts))
            .build()?;
        let delete = TransactWriteItem::builder().delete(delete).build();
        self.transact(vec![delete, self.put_of(item)?]).await.map(drop)
    }
}
