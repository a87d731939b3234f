//! Running errands: telling media servers what has been decided here.
//!
//! What is decided holds with us at once; an errand only makes a media server follow. So whoever wrote one runs it right
//! after, and does not fail where that fails: it stays in the outbox, for [`deliver_due`].

use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio::time::timeout;

use crate::{
    App,
    clock::InTime,
    config::{Config, VideoProvider},
    id::{ErrandId, ProviderSessionId},
    media_server::MediaServerError,
    meter,
    model::outbox::{Errand, is_given_up},
    provider::{MediaProvider, ProviderError},
    store::{ClaimedErrand, StoreError},
};

/// How long running an errand may take in all: somebody waits for an answer.
const IN_ALL: Duration = Duration::from_secs(3);
/// How long a media server may take of that; the rest is for writing down what became of it.
const TELLING: Duration = Duration::from_millis(2500);
/// How many errands are run at once.
const AT_ONCE: usize = 8;

/// Whether there is a media server to tell. Where there is none, no errand need be written.
#[must_use]
pub fn is_wanted(config: &Config, errand: &Errand) -> bool {
    match errand {
        Errand::DisconnectProvider { .. } | Errand::DisconnectClient { .. } => {
            config.video_provider == VideoProvider::OpenTok
        }
        Errand::TerminateSession { .. } => config.streams_api.is_some(),
    }
}

/// Runs an errand, unless another is at it: tells the media server, within 3 seconds in all, and removes the errand, or
/// puts it off where it fails. What goes wrong is in the log.
pub async fn deliver(app: &App, id: &ErrandId) {
    // What is cut off here goes on when the lease is over.
    match timeout(IN_ALL, run(app, id)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "an errand to a media server cannot be looked up or written down"),
        Err(_) => tracing::warn!("an errand to a media server took too long"),
    }
}

/// Runs these errands, several at once, within 3 seconds in all. What is not run by then is due all the same.
pub async fn deliver_all(app: &App, ids: &[ErrandId]) {
    let runs = stream::iter(ids).for_each_concurrent(AT_ONCE, |id| deliver(app, id));
    if timeout(IN_ALL, runs).await.is_err() {
        tracing::warn!("errands to media servers took too long");
    }
}

/// Runs the errands that are due, until all are run or put off, or the time is up.
pub async fn deliver_due(app: &App, in_time: InTime<'_>) -> Result<(), StoreError> {
    let due = app.store.due_errands(app.clock.now()).await?;
    let runs = stream::iter(due).for_each_concurrent(AT_ONCE, |id| async move {
        if in_time() {
            deliver(app, &id).await;
        }
    });
    runs.await;
    Ok(())
}

async fn run(app: &App, id: &ErrandId) -> Result<(), StoreError> {
    let Some(claimed) = app.store.claim_errand(id, app.clock.now()).await? else { return Ok(()) };
    match timeout(TELLING, tell(app, &claimed.errand)).await.unwrap_or(Err(Untold::TimedOut)) {
        Ok(()) => app.store.remove_errand(id).await,
        Err(reason) => put_off(app, &claimed, &reason).await,
    }
}

async fn put_off(app: &App, claimed: &ClaimedErrand, reason: &Untold) -> Result<(), StoreError> {
    let (now, attempts) = (app.clock.now(), claimed.attempts);
    if is_given_up(claimed.created_at, now) {
        tracing::error!(%reason, attempts, "an errand to a media server is given up");
        meter::count(|usage| usage.errands_given_up += 1);
        return app.store.remove_errand(&claimed.id).await;
    }
    tracing::warn!(%reason, attempts, "an errand to a media server is put off");
    app.store.put_off_errand(claimed, now).await
}

/// Why a media server does not know yet. What it says is for logs.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Provider(#[from] ProviderError),
    #[error("{0}")]
    MediaServer(#[from] MediaServerError),
    #[error("the media server did not answer in time")]
    TimedOut,
}

/// Tells whom an errand is for; where there is nobody, that is done.
async fn tell(app: &App, errand: &Errand) -> Result<(), Untold> {
    match errand {
        errand if !is_wanted(&app.config, errand) => Ok(()),
        Errand::DisconnectProvider { provider_session, stream, name } => {
            let connections = app.store.provider_connections(stream, name).await?;
            Ok(disconnect(&*app.media().provider, provider_session, connections).await?)
        }
        Errand::DisconnectClient { provider_session, connection } => {
            Ok(disconnect(&*app.media().provider, provider_session, vec![connection.clone()]).await?)
        }
        Errand::TerminateSession { stream, name } => {
            let Some(server) = app.media_server() else { return Ok(()) };
            // Whoever was terminated is dead: one who is live has come since, lawfully, and the server knows only names.
            let successor = app.store.live_connection(stream, name).await?;
            if successor.is_some_and(|live| live.is_live(app.clock.now())) {
                return Ok(());
            }
            Ok(server.terminate(stream, name).await?)
        }
    }
}

/// Ends these connections. Each has its turn, also where another fails: what is done needs no further attempt.
async fn disconnect(
    provider: &dyn MediaProvider,
    session: &ProviderSessionId,
    connections: Vec<String>,
) -> Result<(), ProviderError> {
    let ends = connections.into_iter().map(|connection| async move { provider.disconnect(session, &connection).await });
    let ended: Vec<_> = stream::iter(ends).buffer_unordered(AT_ONCE).collect().await;
    ended.into_iter().collect()
}

#[cfg(test)]
mod tests;
