//! What is to be done without anybody asking: once a minute on AWS, and by `greenroom serve`.
//!
//! Requests to the table where there is nothing to do: 19, in parallel.

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use shared::{App, clock::InTime, config::Setting, delivery::deliver_due, store::StoreError};

/// What this function reads from its environment.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::XmppDomain,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::StreamsApiUrl,
    Setting::StreamsApiToken,
    Setting::Log,
];

/// Something to go on with until there is nothing left of it or the time is up. Two may be at it at once.
type Duty = for<'a> fn(&'a App, InTime<'a>) -> BoxFuture<'a, Result<(), StoreError>>;

/// Every duty, behind what the log calls it.
const DUTIES: &[(&str, Duty)] = &[
    ("errands to media servers", |app, in_time| deliver_due(app, in_time).boxed()),
    ("what belonged to deleted events", |app, in_time| clear_events(app, in_time).boxed()),
    ("what was said in rooms that have ended", |app, in_time| clear_rooms(app, in_time).boxed()),
    ("what belonged to deleted users", |app, in_time| clear_users(app, in_time).boxed()),
];

/// Some duties could not be gone on with; the next run takes them up again.
#[derive(Debug, thiserror::Error)]
#[error("{0} of the duties failed")]
pub struct Failed(usize);

/// Goes on with every duty at once, so that none waits for another that has much to do or fails.
pub async fn run(app: &App, in_time: InTime<'_>) -> Result<(), Failed> {
    let duties = DUTIES.iter().map(|(name, duty)| async move {
        let failed =
            duty(app, in_time).await.inspect_err(|error| tracing::error!(%error, duty = name, "a duty failed"));
        failed.is_err()
    });
    let failed = join_all(duties).await.into_iter().filter(|failed| *failed).count();
    if failed == 0 { Ok(()) } else { Err(Failed(failed)) }
}

/// Goes on with the deletions of events that broke off. One that fails holds up no other.
async fn clear_events(app: &App, in_time: InTime<'_>) -> Result<(), StoreError> {
    let mut outcome = Ok(());
    for ended in app.store.ended_events().await? {
        if let Err(error) = app.store.clear_event(ended.id, app.clock.now(), in_time).await {
            outcome = Err(error);
        }
    }
    outcome
}

/// Goes on with the deletions of users that broke off. One that fails holds up no other.
async fn clear_users(app: &App, in_time: InTime<'_>) -> Result<(), StoreError> {
    let mut outcome = Ok(());
    for former in app.store.former_users().await? {
        let cleared = app.store.clear_former_user(&former, &app.config.xmpp_domain, &app.clock, in_time);
        if let Err(error) = cleared.await {
            outcome = Err(error);
        }
    }
    outcome
}

/// Deletes what was said in rooms that have ended, a day later.
async fn clear_rooms(app: &App, in_time: InTime<'_>) -> Result<(), StoreError> {
    app.store.clear_ended_rooms(app.clock.now(), in_time).await.map(drop)
}
