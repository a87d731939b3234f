//! What is to be done without anybody asking: once a minute on AWS, and by `greenroom serve`.

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use shared::{App, clock::InTime, config::Setting, jobs::run_due, store::StoreError};

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
const DUTIES: &[(&str, Duty)] =
    &[("what changes have left to be done", |app, in_time| run_due(&app.services, in_time).boxed())];

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
