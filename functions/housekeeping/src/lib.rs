//! Work that no request asks for. It runs once a minute on AWS, and in `greenroom serve`.

use futures_util::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use greenroom_core::{clock::InTime, config::Setting};
use greenroom_http::App;
use greenroom_media::{jobs::run_due, reconcile::reconcile};
use greenroom_store::StoreError;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::XmppDomain,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::LivekitRooms,
    Setting::StreamsApiUrl,
    Setting::StreamsApiToken,
    Setting::Log,
];

/// A duty: work that goes on until none is left or the time is up. Two processes may do it at once.
type Duty = for<'a> fn(&'a App, InTime<'a>) -> BoxFuture<'a, Result<(), StoreError>>;

/// All duties, each with its name in the log.
const DUTIES: &[(&str, Duty)] = &[
    ("what changes have left to be done", |app, in_time| run_due(&app.services, in_time).boxed()),
    ("comparing live connections with LiveKit", |app, in_time| reconcile(&app.services, in_time).boxed()),
];

/// Some duties failed. The next run takes them up again.
#[derive(Debug, thiserror::Error)]
#[error("{0} of the duties failed")]
pub struct Failed(usize);

/// Runs all duties at once, so that none waits for another that has much to do or fails.
pub async fn run(app: &App, in_time: InTime<'_>) -> Result<(), Failed> {
    let duties = DUTIES.iter().map(|(name, duty)| async move {
        let failed =
            duty(app, in_time).await.inspect_err(|error| tracing::error!(%error, duty = name, "a duty failed"));
        failed.is_err()
    });
    let failed = join_all(duties).await.into_iter().filter(|failed| *failed).count();
    if failed == 0 { Ok(()) } else { Err(Failed(failed)) }
}
