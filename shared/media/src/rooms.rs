//! What a LiveKit server reports of rooms and participants, in webhooks and in lists (`docs/apis/livekit.md`).

use futures_util::{StreamExt, stream};
use greenroom_core::{
    id::{CallbackId, ConnectionName, ProviderSessionId},
    model::{
        RoomName,
        live::{EndReason, LiveConnection, Report, Reported, Stream},
    },
};
use greenroom_store::{RoomNoted, RoomStanding, RoomTold, StoreError};

use crate::{
    Services,
    delivery::{deliver, deliver_claimed},
};

/// The number of participants that are worked on at once.
pub(crate) const MAX_CONCURRENT: usize = 8;

/// The effect of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is about a room or a participant of another application.
    NotOurs,
    /// It changed nothing.
    Nothing,
    /// A connection has changed.
    Changed,
    /// Somebody who must not be there was removed, or an outbox message has them removed.
    Removed,
}

/// A report about a participant of a room.
#[derive(Clone, Copy, Debug)]
pub struct RoomReport<'a> {
    /// The room.
    pub room: &'a ProviderSessionId,
    /// The participant's identity.
    pub identity: &'a str,
    /// What is reported.
    pub report: &'a Report,
    /// The id of the webhook; `None` if the report is from a list.
    pub callback: Option<&'a CallbackId>,
}

/// Takes note of a report about a participant. Removes the participant if they must not be in the room: their name is
/// held, or it looks like one of Greenroom's and is none. Participants with other identities hold a token that
/// Greenroom did not make, so they are the operator's own.
///
/// # Errors
/// The table failed.
pub async fn take_note(services: &Services, told: RoomReport<'_>) -> Result<Effect, StoreError> {
    let RoomReport { room, identity, report, callback } = told;
    let stream = RoomName::parse(room.as_str()).and_then(|name| name.stream());
    let (Some(stream), Some(name)) = (stream, ConnectionName::made_by_greenroom(identity)) else {
        return Ok(Effect::NotOurs);
    };
    let told = RoomTold { stream: &stream, room, name: &name, report, callback };
    match services.store.record_room_report(told, services.clock.now()).await? {
        RoomNoted::Changed => Ok(Effect::Changed),
        RoomNoted::Regranted(job) => {
            deliver_claimed(services, &job).await;
            Ok(Effect::Changed)
        }
        RoomNoted::Held(job) => {
            deliver_claimed(services, &job).await;
            Ok(Effect::Removed)
        }
        RoomNoted::Unknown if report.reported.is_presence() => remove_stranger(services, room, &name).await,
        RoomNoted::Unknown | RoomNoted::Nothing => Ok(Effect::Nothing),
    }
}

/// Removes a participant whose name looks like Greenroom's and is not known, if the room is Greenroom's.
pub(crate) async fn remove_stranger(
    services: &Services,
    room: &ProviderSessionId,
    name: &ConnectionName,
) -> Result<Effect, StoreError> {
    match services.store.room_standing(room, services.clock.now()).await? {
        RoomStanding::Foreign => Ok(Effect::NotOurs),
        RoomStanding::Gone => close_again(services, room).await.map(|()| Effect::Removed),
        RoomStanding::Ours => {
            let Some(livekit) = services.media().livekit() else { return Ok(Effect::Nothing) };
            // Nothing has to be kept for this: reconciling finds whoever is still there.
            if let Err(error) = livekit.remove_participant(room.as_str(), name.as_str()).await {
                tracing::warn!(%error, "an unknown participant is removed later");
            }
            Ok(Effect::Removed)
        }
    }
}

/// Takes note that a room was opened. If its session was deleted, the room is deleted too.
///
/// # Errors
/// The table failed.
pub async fn opened(services: &Services, room: &ProviderSessionId, sid: &str) -> Result<Effect, StoreError> {
    if RoomName::parse(room.as_str()).and_then(|name| name.stream()).is_none() {
        return Ok(Effect::NotOurs);
    }
    match services.store.room_standing(room, services.clock.now()).await? {
        RoomStanding::Foreign => Ok(Effect::NotOurs),
        RoomStanding::Gone => close_again(services, room).await.map(|()| Effect::Removed),
        RoomStanding::Ours => {
            services.store.remember_open_room(room, sid, services.clock.now()).await.map(|()| Effect::Changed)
        }
    }
}

/// Takes note that a room was closed. Everybody who was in it is gone, but not those who are in a room that was made
/// again under the same name.
///
/// # Errors
/// The table failed.
pub async fn closed(
    services: &Services,
    room: &ProviderSessionId,
    sid: &str,
    report: &Report,
) -> Result<Effect, StoreError> {
    let Some(stream) = RoomName::parse(room.as_str()).and_then(|name| name.stream()) else {
        return Ok(Effect::NotOurs);
    };
    let connections = services.store.room_connections(&stream, room).await?;
    let left = connections.into_iter().filter_map(|connection| left_with_room(&connection, sid, report));
    let stream = &stream;
    let notes: Vec<_> = stream::iter(left)
        .map(|(name, report)| async move { note(services, stream, room, &name, &report).await })
        .buffer_unordered(MAX_CONCURRENT)
        .collect()
        .await;
    let changed = notes.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().any(|changed| changed);
    services.store.forget_open_room(room, sid).await?;
    Ok(if changed { Effect::Changed } else { Effect::Nothing })
}

/// The report that a participant was in a room when it was closed; `None` if they were not.
fn left_with_room(connection: &LiveConnection, room_sid: &str, report: &Report) -> Option<(ConnectionName, Report)> {
    let participant = connection.participant.as_ref()?;
    let was_there = participant.room_sid == room_sid && participant.left_at.is_none();
    let reported = Reported::Left(EndReason::SESSION_ENDED);
    let report = Report { sid: participant.sid.clone(), reported, ..report.clone() };
    was_there.then(|| (connection.name.clone(), report))
}

/// Takes note of a report about a known connection. Returns whether it changed.
pub(crate) async fn note(
    services: &Services,
    stream: &Stream,
    room: &ProviderSessionId,
    name: &ConnectionName,
    report: &Report,
) -> Result<bool, StoreError> {
    let told = RoomTold { stream, room, name, report, callback: None };
    match services.store.record_room_report(told, services.clock.now()).await? {
        RoomNoted::Changed => Ok(true),
        RoomNoted::Held(job) | RoomNoted::Regranted(job) => {
            deliver_claimed(services, &job).await;
            Ok(true)
        }
        RoomNoted::Nothing | RoomNoted::Unknown => Ok(false),
    }
}

/// Has the server delete the room of a deleted session to which somebody came back.
pub(crate) async fn close_again(services: &Services, room: &ProviderSessionId) -> Result<(), StoreError> {
    let message = services.store.close_room_again(room, services.clock.now()).await?;
    deliver(services, &message).await;
    Ok(())
}
