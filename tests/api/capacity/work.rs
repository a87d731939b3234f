//! Work that no request asks for.

use greenroom_core::{
    clock::InTime,
    model::{
        Event,
        job::{LEASE, OutboxMessage},
        live::Stream,
    },
};
use greenroom_store::Stored;
use greenroom_telemetry::{meter::metered, metrics::HOUSEKEEPING};
use serde_json::json;

use super::Rows;
use crate::{
    delivery::{MediaServer, with_server},
    live_cost::fill,
    support::TestApp,
};

/// There is always time left.
const ALWAYS: InTime<'static> = &|| true;

pub(super) async fn measure(rows: &mut Rows) {
    let app = with_server(&MediaServer::default()).await;
    run(rows, &app, "nothing to do").await;
    let name = greenroom_core::id::ConnectionName::random();
    let message = OutboxMessage::TerminateSession { stream: Stream::of_session(1, 2), name, by: "once".to_owned() };
    app.store.put_job(message, app.clock.now()).await.unwrap();
    run(rows, &app, "an outbox message to a media server").await;
    let id = app.event_to_join(json!({}), "moderator").await;
    app.login_tokens(id, "token", 27).await;
    fill(&app, 1, 100).await;
    let event: Stored<Event> = app.store.record(id).await.unwrap().unwrap();
    app.store.end_event(event, app.clock.now()).await.unwrap().unwrap();
    // The process that deleted it died during the deletion.
    app.wait(LEASE);
    run(rows, &app, "an event with 28 login tokens, two sessions and 100 participants").await;
}

async fn run(rows: &mut Rows, app: &TestApp, case: &str) {
    let (outcome, usage) =
        app.acting_as("housekeeping", metered(greenroom_housekeeping::run(&app.shared, ALWAYS))).await;
    outcome.unwrap();
    rows.add(HOUSEKEEPING, case, usage);
}
