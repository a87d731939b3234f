//! What an opening or a closing does.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    model::{
        live::{Publishing, REMEMBERED, Refusal, Stream, Webhook},
        login_token::StreamRole,
    },
};
use greenroom_http::App;
use greenroom_store::{Admitted, Opening, StoreError};
use tokio::time::{Instant, timeout_at};

use crate::Answer;

/// The attempts to take a refused opening back, and the wait between them, which grows.
const TAKING_BACK: u32 = 8;
const WAIT: Duration = Duration::from_millis(250);
/// How much longer an application is remembered than a connection in it can last.
const APP_KEPT: Duration = Duration::from_hours(3);

/// The protocol of pictures of a stream. A client that asks for one is no viewer.
const THUMBNAIL: &str = "thumbnail";
/// The protocol whose viewers the media server can cut off.
const WEBRTC: &str = "webrtc";

/// Says whether a client may come. The media server waits for a limited time from `arrived`, when its request came.
pub(crate) async fn open(app: &App, webhook: &Webhook, arrived: Instant) -> Answer {
    let limit = arrived + app.config.timing.opening;
    let refusal = match timeout_at(limit, Box::pin(admit(app, webhook, limit))).await {
        Ok(Ok(Ok(()))) => return Answer::allowed(lifetime(app, webhook)),
        Ok(Ok(Err(Refusal::Held))) => return Answer::refused("terminated", "The session was terminated"),
        Ok(Ok(Err(Refusal::Taken))) => return Answer::refused("name_taken", "The session's name is taken"),
        Ok(Ok(Err(Refusal::Closed))) => return Answer::refused("closed_since", "The session has closed since"),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    tracing::error!(error = refusal, "an opening was not written down, and refused");
    // The opening may have been written, or be on its way. A refused client does not come, so its closing never will
    // either.
    let (app, webhook, tasks) = (app.clone(), webhook.clone(), app.tasks.clone());
    tasks.leave(async move { take_back(&app, &webhook).await });
    Answer::refused("store", "The service is busy; try again")
}

/// Records that a client has gone.
pub(crate) async fn close(app: &App, webhook: &Webhook) -> Answer {
    let limit = Instant::now() + app.config.timing.settling;
    let noted = match webhook.role {
        _ if is_picture(webhook) => Ok(()),
        StreamRole::Publisher => publish(app, webhook, Publishing::Closed, limit).await.map(drop),
        _ => app.store.close_live_connection(webhook, app.clock.now()).await,
    };
    if let Err(error) = noted {
        // The media server does not send a closing again. The connection ends when its right does.
        tracing::error!(%error, "a closing was not written down");
    }
    Answer::NOTED
}

/// Whether it is about a picture of a stream, by which nobody joins.
pub(crate) fn is_picture(webhook: &Webhook) -> bool {
    webhook.client.protocol == THUMBNAIL
}

/// After how long the media server is told to cut a client off.
fn lifetime(app: &App, webhook: &Webhook) -> Option<Duration> {
    let is_cut = webhook.client.protocol == WEBRTC && webhook.role != StreamRole::Publisher;
    app.config.streams.lifetime.filter(|_| is_cut)
}

fn opening<'a>(app: &App, webhook: &'a Webhook, now: Timestamp) -> Opening<'a> {
    let (ttl, keeps_viewers) = (app.config.streams.session_ttl, app.config.streams.keep_viewers);
    Opening { webhook, now, ttl, lifetime: lifetime(app, webhook), keeps_viewers }
}

async fn admit(app: &App, webhook: &Webhook, limit: Instant) -> Result<Admitted, StoreError> {
    let now = app.clock.now();
    if is_picture(webhook) {
        return Box::pin(app.store.would_open(&opening(app, webhook, now))).await;
    }
    // The application is stored first, so that no stream is known without its application.
    remember_app(app, webhook).await?;
    if webhook.role == StreamRole::Publisher {
        return publish(app, webhook, Publishing::Opened, limit.min(Instant::now() + app.config.timing.settling)).await;
    }
    app.store.open_live_connection(&opening(app, webhook, now)).await
}

/// Records what a publisher did, and settles their viewers as far as the time allows.
async fn publish(app: &App, webhook: &Webhook, did: Publishing, limit: Instant) -> Result<Admitted, StoreError> {
    let admitted = app.store.tell_of_publisher(&opening(app, webhook, app.clock.now()), did).await?;
    if admitted.is_ok() && !app.config.streams.keep_viewers {
        settle(app, &webhook.stream, limit).await;
    }
    Ok(admitted)
}

async fn settle(app: &App, stream: &Stream, limit: Instant) {
    let in_time = || Instant::now() < limit;
    // The job does the rest.
    match timeout_at(limit, app.store.settle_viewers(stream, &app.clock, &in_time)).await {
        Ok(Ok(_)) | Err(_) => {}
        Ok(Err(error)) => tracing::warn!(%error, "a publisher's viewers are looked at later"),
    }
}

/// Takes back a refused opening.
async fn take_back(app: &App, webhook: &Webhook) {
    for attempt in 1..=TAKING_BACK {
        let now = app.clock.now();
        let outcome = match webhook.role {
            _ if is_picture(webhook) => Ok(()),
            StreamRole::Publisher => {
                app.store.tell_of_publisher(&opening(app, webhook, now), Publishing::Refused).await.map(drop)
            }
            _ => app.store.take_back_live_connection(webhook, now).await,
        };
        match outcome {
            Ok(()) => return,
            Err(error) => tracing::warn!(%error, attempt, "an opening that was refused is not taken back yet"),
        }
        tokio::time::sleep(WAIT * attempt).await;
    }
    tracing::error!("an opening that was refused may have been written down");
}

/// Stores the application's name, at most once an hour.
async fn remember_app(app: &App, webhook: &Webhook) -> Result<(), StoreError> {
    let (vhost, name, now) = (&webhook.stream.vhost, &webhook.stream.app, app.clock.now());
    let kept = app.config.streams.session_ttl + REMEMBERED + APP_KEPT;
    let remember = async || {
        app.store.remember_app(vhost, name, now, kept).await?;
        Ok::<_, StoreError>(Some(()))
    };
    app.caches.apps.get(&(vhost.clone(), name.clone()), now, remember).await.map(drop)
}
