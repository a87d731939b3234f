//! What a function does that nobody sends requests to.

use serde_json::Value;
use shared::{
    clock::Clock,
    id::ConnectionName,
    model::{Event, User, live::Stream, outbox::Errand, user::Role},
    store::Stored,
};
use testbed::InvokeError;
use tokio::net::TcpListener;

use crate::stage::{Fixture, Stage};

const SCHEDULED: &str = "housekeeping/scheduled";

/// Leaves an event that is half deleted, somebody in it, a user who is, and an errand to nobody.
pub(crate) async fn leave_work(stage: &Stage) {
    let meeting = stage.meeting().await;
    let store = stage.store();
    stage.send("rtcsessions/join", &Fixture { meeting: meeting.clone(), ..Fixture::default() }).await;
    let event: Stored<Event> = store.record(meeting.event).await.unwrap().unwrap();
    store.end_event(event).await.unwrap().unwrap();
    let id = store.new_id::<User>().await.unwrap();
    let user = User {
        id,
        username: format!("former{id}"),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        blocked: false,
        role: Role::Manager,
        creator: None,
    };
    store.insert_record(&user).await.unwrap().unwrap();
    store.remove_user(id).await.unwrap();
    let errand = Errand::TerminateSession { stream: Stream::of_session(1, 2), name: ConnectionName::random() };
    let (_, put) = store.errand_put(&errand, Clock::system().now()).unwrap();
    let transaction = stage.client().transact_write_items().transact_items(put);
    transaction.send().await.unwrap();
}

#[tokio::test]
async fn what_was_left_behind_is_gone_on_with_by_itself() {
    let stage = Stage::new().await;
    leave_work(&stage).await;
    let (store, now) = (stage.store(), Clock::system().now());
    assert_eq!(store.former_users().await.unwrap().len(), 1);
    assert_eq!((store.ended_events().await.unwrap().len(), store.due_errands(now).await.unwrap().len()), (1, 1));
    for _ in 0..2 {
        assert_eq!(stage.run(SCHEDULED).await.unwrap(), Value::Null);
        assert!(store.ended_events().await.unwrap().is_empty());
        assert!(store.former_users().await.unwrap().is_empty());
        assert!(store.due_errands(now).await.unwrap().is_empty());
    }
    let log = stage.function("housekeeping").await.output();
    assert_eq!(log.matches(r#""done":true"#).count(), 2, "{log}");
}

#[tokio::test]
async fn a_run_that_fails_is_counted_as_one() {
    let mut stage = Stage::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    stage.endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = stage.run(SCHEDULED).await.unwrap_err();
    let InvokeError::Reported(report) = &error else { panic!("{error}") };
    assert_eq!(report.error_message, "4 of the duties failed");
}
