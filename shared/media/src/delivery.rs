//! Delivering outbox messages to media servers.
//!
//! Greenroom's own decision holds at once, and an outbox message makes the media server follow. So a request that wrote
//! one delivers it right after, and succeeds even if the delivery fails. The message then stays for
//! [`run_due`](crate::jobs::run_due).

use std::time::Duration;

use futures_util::{StreamExt, stream};
use greenroom_core::{
    config::{Config, VideoProvider},
    id::{ConnectionId, ConnectionName, MediaSessionId, ProviderSessionId},
    model::{
        job::{Job, OutboxMessage},
        live::Stream,
    },
};
use greenroom_store::{ClaimedJob, Cut, JobKey, StoreError};
use greenroom_telemetry::meter;
use tokio::time::timeout;

use crate::{
    Services,
    cut::{NotCut, cut_off},
    provider::{MediaProvider, ProviderError},
};

/// How long a media server may take. The rest of the 3 seconds of a delivery is for writing down the result.
const TELLING: Duration = Duration::from_millis(2500);
/// The number of outbox messages that are delivered at once.
const MAX_CONCURRENT: usize = 8;

/// Whether there is a media server to tell. If there is none, no outbox message has to be written.
#[must_use]
pub fn is_wanted(config: &Config, message: &OutboxMessage) -> bool {
    match message {
        OutboxMessage::DisconnectProvider { .. } | OutboxMessage::DisconnectClient { .. } => {
            let opentok = config.video_provider != VideoProvider::Offline && config.opentok.is_set();
            opentok || config.vonage.is_some()
        }
        OutboxMessage::RemoveParticipant { .. }
        | OutboxMessage::UpdateParticipant { .. }
        | OutboxMessage::DeleteRoom { .. } => config.livekit.is_some(),
        OutboxMessage::TerminateSession { .. } => config.streams_api.is_some(),
    }
}

/// Delivers an outbox message, unless another process has its lease. Tells the media server, within 3 seconds in all,
/// and removes the message. If that fails, puts the message off. Errors are logged.
pub async fn deliver(services: &Services, key: &JobKey) {
    // A delivery that is cut off here is tried again when the lease is over.
    match timeout(services.config.timing.delivery, take(services, key)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::warn!(%error, "an outbox message to a media server cannot be looked up or written down");
        }
        Err(_) => tracing::warn!("an outbox message to a media server took too long"),
    }
}

/// Delivers an outbox message whose lease this process has, within 3 seconds in all. Returns whether the media server
/// was told. If it was not, the message is put off. Errors are logged.
pub async fn deliver_claimed(services: &Services, claimed: &ClaimedJob) -> bool {
    match timeout(services.config.timing.delivery, run(services, claimed)).await {
        Ok(Ok(is_told)) => is_told,
        Ok(Err(error)) => {
            tracing::warn!(%error, "an outbox message to a media server cannot be written down");
            false
        }
        Err(_) => {
            tracing::warn!("an outbox message to a media server took too long");
            false
        }
    }
}

/// Delivers outbox messages, several at once, within 3 seconds in all. The others stay due.
pub async fn deliver_all(services: &Services, keys: &[JobKey]) {
    let runs = stream::iter(keys).for_each_concurrent(MAX_CONCURRENT, |key| deliver(services, key));
    if timeout(services.config.timing.delivery, runs).await.is_err() {
        tracing::warn!("outbox messages to media servers took too long");
    }
}

async fn take(services: &Services, key: &JobKey) -> Result<(), StoreError> {
    match services.store.claim_job(key, services.clock.now()).await? {
        Some(claimed) => run(services, &claimed).await.map(drop),
        None => Ok(()),
    }
}

/// Delivers an outbox message whose lease this process has, and removes it. If that fails, puts it off. Returns whether
/// it was delivered.
pub(crate) async fn run(services: &Services, claimed: &ClaimedJob) -> Result<bool, StoreError> {
    let Job::OutboxMessage(message) = &claimed.job else { return Ok(true) };
    match timeout(TELLING, tell(services, message)).await.unwrap_or(Err(Untold::TimedOut)) {
        Ok(()) => services.store.remove_job(&claimed.key).await.map(|()| true),
        Err(reason) => put_off(services, claimed, &reason).await.map(|()| false),
    }
}

async fn put_off(services: &Services, claimed: &ClaimedJob, reason: &Untold) -> Result<(), StoreError> {
    let (now, attempts) = (services.clock.now(), claimed.attempts);
    if claimed.job.is_given_up(claimed.created_at, now) {
        tracing::error!(%reason, attempts, "an outbox message to a media server is given up");
        meter::count(|usage| usage.outbox_messages_given_up += 1);
        return services.store.remove_job(&claimed.key).await;
    }
    match reason {
        Untold::Provider(error) if error.is_ours() => {
            tracing::error!(%reason, attempts, "an outbox message to a media server is put off");
        }
        _ => tracing::warn!(%reason, attempts, "an outbox message to a media server is put off"),
    }
    services.store.put_off_job(claimed, now).await
}

/// Why a message was not delivered. The texts are for logs.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Provider(#[from] ProviderError),
    #[error("{0}")]
    NotCut(#[from] NotCut),
    #[error("the media server did not answer in time")]
    TimedOut,
}

/// Delivers an outbox message to its media server. If there is no such server, nothing has to be done.
async fn tell(services: &Services, message: &OutboxMessage) -> Result<(), Untold> {
    match message {
        OutboxMessage::TerminateSession { stream, name, by } if services.config.streams_api.is_none() => {
            // No server can cut the viewer off any more. The viewer counts as gone.
            let noted = services.store.take_note_of_cut((stream, name), (by, None), Cut::Off, services.clock.now());
            Ok(noted.await.map(drop)?)
        }
        message if !is_wanted(&services.config, message) => Ok(()),
        OutboxMessage::DisconnectProvider { provider_session, stream, name } => {
            let connections = services.store.provider_connections(stream, name).await?;
            let Some(provider) = services.media().provider_of(provider_session) else { return Ok(()) };
            Ok(disconnect(provider, provider_session, connections).await?)
        }
        OutboxMessage::DisconnectClient { provider_session, connection } => {
            let Some(provider) = services.media().provider_of(provider_session) else { return Ok(()) };
            Ok(disconnect(provider, provider_session, vec![connection.clone()]).await?)
        }
        OutboxMessage::RemoveParticipant { room, name } => {
            let Some(livekit) = services.media().livekit() else { return Ok(()) };
            Ok(livekit.remove_participant(room.as_str(), name.as_str()).await?)
        }
        OutboxMessage::UpdateParticipant { session, connection } => {
            update_participant(services, session, connection).await
        }
        OutboxMessage::DeleteRoom { room } => {
            let Some(livekit) = services.media().livekit() else { return Ok(()) };
            Ok(livekit.delete_room(room.as_str()).await?)
        }
        OutboxMessage::TerminateSession { stream, name, by } => tell_media_server(services, stream, name, by).await,
    }
}

/// Has the LiveKit server give a participant the rights that their connection has now, unless it has ended since.
async fn update_participant(
    services: &Services,
    session: &MediaSessionId,
    connection: &ConnectionId,
) -> Result<(), Untold> {
    let Some(livekit) = services.media().livekit() else { return Ok(()) };
    let found = services.store.media_connection(session, connection, services.clock.now()).await?;
    let Some((room, role)) = found.ok().and_then(|found| Some((found.room()?.clone(), found.grant.role))) else {
        return Ok(());
    };
    Ok(livekit.update_participant(room.as_str(), connection.as_str(), role.into()).await?)
}

/// Has a media server end a session, unless another client has come under the name since.
async fn tell_media_server(
    services: &Services,
    stream: &Stream,
    name: &ConnectionName,
    by: &str,
) -> Result<(), Untold> {
    let Some(server) = services.media_server() else { return Ok(()) };
    let live = services.store.live_connection(stream, name).await?.filter(|live| live.is_live(services.clock.now()));
    match live {
        Some(live) if live.is_ending_by(by) => Ok(cut_off(services, stream, name, (by, None)).await.map(drop)?),
        // The server knows only names, so it would end the later session.
        Some(_) => Ok(()),
        None => Ok(server.terminate(stream, name).await.map(drop).map_err(NotCut::from)?),
    }
}

/// Ends these connections. If one fails, the others are still tried, so that they need no further attempt.
async fn disconnect(
    provider: &dyn MediaProvider,
    session: &ProviderSessionId,
    connections: Vec<String>,
) -> Result<(), ProviderError> {
    let ends = connections.into_iter().map(|connection| async move { provider.disconnect(session, &connection).await });
    let ended: Vec<_> = stream::iter(ends).buffer_unordered(MAX_CONCURRENT).collect().await;
    ended.into_iter().collect()
}

#[cfg(test)]
mod tests;
