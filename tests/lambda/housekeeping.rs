//! The function that no request invokes.

use greenroom_core::{
    clock::{Clock, Timestamp},
    id::ConnectionName,
    model::{
        Event, User,
        job::{LEASE, OutboxMessage},
        live::Stream,
        user::Role,
    },
};
use greenroom_store::{JOB_SHARDS, Stored};
use serde_json::Value;
use testbed::{InvokeError, nobody};

use crate::stage::{Fixture, Stage};

pub(crate) const SCHEDULED: &str = "housekeeping/scheduled";

/// A time so early that the lease of anything begun then has expired.
fn before_the_last_lease() -> Timestamp {
    Clock::system().now() - 2 * LEASE
}

/// The number of due jobs in the table.
pub(crate) async fn jobs(stage: &Stage) -> usize {
    let (store, now, mut jobs) = (stage.store(), Clock::system().now(), 0);
    for shard in 0..JOB_SHARDS {
        jobs += store.due_jobs(shard, now, None).await.unwrap().jobs.len();
    }
    jobs
}

/// Leaves a half-deleted event with a live connection, a half-deleted user, and an outbox message without a receiver.
pub(crate) async fn leave_work(stage: &Stage) {
    let meeting = stage.meeting().await;
    let store = stage.store();
    stage.send("rtcsessions/join", &Fixture { meeting: meeting.clone(), ..Fixture::default() }).await;
    let event: Stored<Event> = store.record(meeting.event).await.unwrap().unwrap();
    store.end_event(event, before_the_last_lease()).await.unwrap().unwrap();
    let id = store.new_id::<User>().await.unwrap();
    let user = User::named(id, &format!("former{id}"), Role::Manager);
    store.insert_record(&user).await.unwrap().unwrap();
    let user = store.record(id).await.unwrap().unwrap();
    store.remove_user(user, before_the_last_lease()).await.unwrap().unwrap();
    let (stream, name) = (Stream::of_session(1, 2), ConnectionName::random());
    let message = OutboxMessage::TerminateSession { stream, name, by: "once".to_owned() };
    store.put_job(message, Clock::system().now()).await.unwrap();
}

#[tokio::test]
async fn housekeeping_finishes_interrupted_work() {
    let stage = Stage::new().await;
    Box::pin(leave_work(&stage)).await;
    let store = stage.store();
    assert_eq!((store.ended_events().await.unwrap().len(), jobs(&stage).await), (1, 3));
    for _ in 0..2 {
        assert_eq!(stage.run(SCHEDULED).await.unwrap(), Value::Null);
        assert!(store.ended_events().await.unwrap().is_empty());
        assert_eq!(jobs(&stage).await, 0);
    }
    let log = stage.function("housekeeping").await.output();
    assert_eq!(log.matches(r#""done":true"#).count(), 2, "{log}");
}

#[tokio::test]
async fn a_failed_run_is_reported_as_an_error() {
    let mut stage = Stage::new().await;
    stage.endpoint = format!("http://{}", nobody().unwrap());
    let error = stage.run(SCHEDULED).await.unwrap_err();
    let InvokeError::Reported(report) = &error else { panic!("{error}") };
    assert_eq!(report.error_message, "1 of the duties failed");
}
