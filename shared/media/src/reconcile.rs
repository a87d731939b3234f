//! Comparing the live connections with what a LiveKit server has (`docs/apis/livekit.md`).
//!
//! Webhooks get lost: the server drops those that wait for more than half a minute, and sends none when it is killed. So
//! the server's lists are read now and then. They are the present; the table is made to agree with them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};
use greenroom_core::{
    clock::{InTime, Timestamp},
    id::{ConnectionName, ProviderSessionId},
    model::{
        RoomName,
        live::{LiveConnection, Report, Reported, Stream},
    },
};
use greenroom_store::{OpenRoom, RoomStanding, StoreError};
use greenroom_telemetry::meter;

use crate::{
    Services,
    provider::{ListedParticipant, ProviderError},
    rooms::{MAX_CONCURRENT, close_again, note, remove_stranger},
};

/// The number of rooms that are compared at once.
const ROOMS_AT_ONCE: usize = 4;

/// A room to compare.
struct Room {
    room: ProviderSessionId,
    stream: Stream,
    /// The server's id of it; `None` if the server does not have it.
    listed: Option<String>,
    /// The room as it is known; `None` if no report told of it.
    known: Option<OpenRoom>,
}

/// Makes the live connections agree with the server's lists. Does nothing if no server is configured. A server that does
/// not answer is asked again in the next run.
///
/// Four requests, one for each open room and one for each shard of its session's connections, and two for each
/// difference. For the room of a media session two more: for its connections, and to keep a session that is in use.
///
/// # Errors
/// The table failed.
pub async fn reconcile(services: &Services, in_time: InTime<'_>) -> Result<(), StoreError> {
    let Some(livekit) = services.media().livekit() else { return Ok(()) };
    let listed_at = services.clock.now();
    let listed = match livekit.rooms().await {
        Ok(rooms) => rooms.into_iter().map(|room| (room.name, room.sid)).collect(),
        Err(error) => {
            log(&error);
            return Ok(());
        }
    };
    let known = services.store.open_rooms(services.clock.now()).await?;
    let compared = stream::iter(rooms(listed, known))
        .map(|room| async move { if in_time() { compare(services, room, listed_at, in_time).await } else { Ok(0) } })
        .buffer_unordered(ROOMS_AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut outcome = Ok(());
    let mut mended = 0;
    for compared in compared {
        match compared {
            Ok(differences) => mended += differences,
            // The other rooms were compared all the same.
            Err(error) => outcome = Err(error),
        }
    }
    if mended > 0 {
        tracing::info!(mended, "live connections differed from the media server's lists");
        meter::count(|usage| usage.differences_mended += mended);
    }
    outcome
}

fn log(error: &ProviderError) {
    match error {
        ProviderError::Credentials => {
            tracing::error!(%error, "live connections are not compared: check the key, the secret and both clocks");
        }
        error if error.is_ours() => tracing::error!(%error, "live connections are not compared"),
        _ => tracing::warn!(%error, "live connections are not compared"),
    }
}

/// The rooms that either side has. Network tests have no connections, and rooms with other names are another
/// application's.
fn rooms(mut listed: BTreeMap<ProviderSessionId, String>, known: Vec<OpenRoom>) -> Vec<Room> {
    let mut rooms = Vec::new();
    for open in known {
        let sid = listed.remove(&open.room);
        rooms.extend(room(open.room.clone(), sid, Some(open)));
    }
    rooms.extend(listed.into_iter().filter_map(|(name, sid)| room(name, Some(sid), None)));
    rooms
}

fn room(room: ProviderSessionId, listed: Option<String>, known: Option<OpenRoom>) -> Option<Room> {
    let stream = RoomName::parse(room.as_str())?.stream()?;
    Some(Room { room, stream, listed, known })
}

/// Compares a room. Returns the number of differences that were mended. `listed_at` is when the rooms were listed.
async fn compare(
    services: &Services,
    room: Room,
    listed_at: Timestamp,
    in_time: InTime<'_>,
) -> Result<u64, StoreError> {
    let Some(livekit) = services.media().livekit() else { return Ok(0) };
    if room.known.is_none() {
        match services.store.room_standing(&room.room, services.clock.now()).await? {
            RoomStanding::Foreign => return Ok(0),
            RoomStanding::Gone => return close_again(services, &room.room).await.map(|()| 1),
            RoomStanding::Ours => {}
        }
    }
    remember(services, &room).await?;
    // Somebody may have joined since in a room that was not open then.
    let asked_at = if room.listed.is_some() { services.clock.now() } else { listed_at };
    let participants = match &room.listed {
        Some(_) => match livekit.participants(room.room.as_str()).await {
            Ok(participants) => participants,
            Err(error) => {
                log(&error);
                return Ok(0);
            }
        },
        None => Vec::new(),
    };
    if let (Some(RoomName::MediaSession(session)), false) =
        (RoomName::parse(room.room.as_str()), participants.is_empty())
    {
        services.store.keep_media_session(&session, &room.room, asked_at).await?;
    }
    let connections = services.store.room_connections(&room.stream, &room.room).await?;
    if room.listed.is_none() && connections.iter().any(|connection| connection.is_live(asked_at)) {
        // A server that was started again has no rooms, and who was in one comes back with the same token.
        if let Err(error) = livekit.make_rooms(&[&room.room]).await {
            log(&error);
        }
    }
    let mended = mend(services, &room, participants, &connections, (asked_at, in_time)).await?;
    let was_there = |connection: &LiveConnection| connection.is_live(asked_at) && connection.connected_at.is_some();
    // Where somebody was, the next run looks once more: they may have joined a room that was made again meanwhile.
    if let (None, Some(known), false) = (&room.listed, &room.known, connections.iter().any(was_there)) {
        services.store.forget_open_room(&room.room, &known.sid).await?;
    }
    Ok(mended)
}

/// Remembers that a room is open, if that is news or would soon be forgotten.
async fn remember(services: &Services, room: &Room) -> Result<(), StoreError> {
    let (Some(sid), now) = (&room.listed, services.clock.now()) else { return Ok(()) };
    let is_known = room.known.as_ref().is_some_and(|known| known.sid == *sid && !known.is_old(now));
    if is_known { Ok(()) } else { services.store.remember_open_room(&room.room, sid, now).await }
}

/// Makes the connections agree with the participants. Returns the number of differences.
async fn mend(
    services: &Services,
    room: &Room,
    participants: Vec<ListedParticipant>,
    connections: &[LiveConnection],
    (asked_at, in_time): (Timestamp, InTime<'_>),
) -> Result<u64, StoreError> {
    let room_sid = room.listed.clone().unwrap_or_default();
    let known: BTreeMap<&str, &LiveConnection> = connections.iter().map(|known| (known.name.as_str(), known)).collect();
    let mut there = BTreeSet::new();
    let mut changes = Vec::new();
    for participant in participants.into_iter().filter(|participant| !participant.is_gone()) {
        let Some(name) = ConnectionName::made_by_greenroom(&participant.identity) else { continue };
        let report = Report {
            sid: participant.sid.clone(),
            room_sid: room_sid.clone(),
            joined_at: Some(participant.joined_at()),
            at: asked_at,
            reported: Reported::Present(participant.tracks()),
        };
        match known.get(name.as_str()) {
            None => changes.push((name.clone(), None)),
            Some(known) if participant.is_active() || known.sends_away(asked_at) => {
                changes.push((name.clone(), Some(report)));
            }
            // Whose media do not flow yet is not connected.
            Some(_) => {}
        }
        there.insert(name);
    }
    let missing = Report { sid: String::new(), room_sid, joined_at: None, at: asked_at, reported: Reported::Missing };
    let gone = connections.iter().filter(|known| known.connected_at.is_some() && !there.contains(&known.name));
    changes.extend(gone.map(|gone| (gone.name.clone(), Some(missing.clone()))));
    let news = changes.into_iter().filter_map(|(name, report)| match (known.get(name.as_str()), report) {
        (Some(known), Some(report)) => {
            let after = known.with_report(&report, asked_at)?;
            // Keeping somebody for longer who is there is no difference.
            let differs = after.participant != known.participant || known.sends_away(asked_at);
            Some((name, Some(report), differs))
        }
        (_, report) => Some((name, report, true)),
    });
    apply(services, room, news.take_while(|_| in_time())).await
}

/// Takes note of these reports, and removes those of whom there is none. Returns how many differences were mended.
async fn apply(
    services: &Services,
    room: &Room,
    changes: impl Iterator<Item = (ConnectionName, Option<Report>, bool)>,
) -> Result<u64, StoreError> {
    let mended = stream::iter(changes).map(|(name, report, differs)| async move {
        match report {
            Some(report) => {
                note(services, &room.stream, &room.room, &name, &report).await.map(|changed| changed && differs)
            }
            None => remove_stranger(services, &room.room, &name).await.map(|_| true),
        }
    });
    let mended: Vec<_> = mended.buffer_unordered(MAX_CONCURRENT).collect().await;
    let mended = mended.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(mended.into_iter().map(u64::from).sum())
}
