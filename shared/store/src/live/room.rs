//! LiveKit rooms, and what their server reports of the participants in them (`docs/apis/livekit.md`).
//!
//! An open room has an item, so that reconciling finds the rooms without reading sessions. A room whose session was
//! deleted has an item for as long as anybody may come back to it with an old token.

use std::time::Duration;

use futures_util::future::{join_all, try_join_all};
use greenroom_core::{
    clock::{Timestamp, seconds},
    id::{CallbackId, ConnectionName, ProviderSessionId},
    model::{
        RoomName,
        job::OutboxMessage,
        live::{LiveConnection, Report, Stream},
    },
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    SHARDS, change::live_change, partition, prefix, provider::callback_put, standing::RoomStanding, terminate::message,
};
use crate::{
    ClaimedJob, Item, JobKey, Key, Store, StoreError, Unique, Worked,
    attempts::Attempts,
    error::is_failed_condition,
    job::{claimed_put, job_put},
    media_session::{self, InMediaRoom, reported},
    s,
    transaction::Committed,
    write::Write,
};

/// The partitions of the open rooms. Rooms begin and end rarely.
const ROOM_SHARDS: u8 = 4;
/// How long an open room is known after the last report. Reconciling renews it.
const OPEN: Duration = Duration::from_hours(24);
/// How long the room of a deleted session is known. Its tokens live for a day at most.
const GONE: Duration = Duration::from_hours(25);

/// A room that a LiveKit server reported to be open.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenRoom {
    /// The room.
    pub room: ProviderSessionId,
    /// The server's id of it. A room that is made again has another.
    pub sid: String,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

greenroom_core::opaque!(OpenRoom);

/// A report of a LiveKit server about a participant.
#[derive(Clone, Copy, Debug)]
pub struct RoomTold<'a> {
    /// The stream whose participants are in the room.
    pub stream: &'a Stream,
    /// The room.
    pub room: &'a ProviderSessionId,
    /// The participant's identity.
    pub name: &'a ConnectionName,
    /// What is reported.
    pub report: &'a Report,
    /// The id of the webhook; `None` if the report is from a list.
    pub callback: Option<&'a CallbackId>,
}

/// The effect of a report.
#[derive(Clone, Debug)]
pub enum RoomNoted {
    /// The room has no connection under the name.
    Unknown,
    /// It changed nothing.
    Nothing,
    /// The connection has changed.
    Changed,
    /// The connection has changed. The job gives the participant its present rights. This process holds its lease.
    Regranted(ClaimedJob),
    /// The participant must not be there. The job removes them. This process holds its lease.
    Held(ClaimedJob),
}

/// The `Type` of the item of a room whose session was deleted.
const GONE_ROOM: &str = "GoneRoom";

/// A room whose session was deleted.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GoneRoom {
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

impl OpenRoom {
    /// Whether it is soon forgotten, and has to be reported again.
    #[must_use]
    pub fn is_old(&self, now: Timestamp) -> bool {
        self.expires_at < now + OPEN / 2
    }
}

fn room_shard(room: &str) -> u8 {
    Sha256::digest(room)[0] % ROOM_SHARDS
}

fn open_partition(shard: u8) -> String {
    format!("LIVEKITROOMS#{shard}")
}

fn open_key(room: &ProviderSessionId) -> Key {
    Key { pk: open_partition(room_shard(room.as_str())), sk: room.to_string() }
}

fn gone_key(room: &ProviderSessionId) -> Key {
    Key { pk: format!("LIVEKITGONE#{room}"), sk: "LIVEKITGONE".to_owned() }
}

impl Store {
    /// Records a report about a participant. If nobody may be in the room under the name, and the report says that
    /// somebody is, puts the job that removes them.
    ///
    /// Two requests. One if nothing changes.
    pub async fn record_room_report(&self, told: RoomTold<'_>, now: Timestamp) -> Result<RoomNoted, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let Some(known) = self.under_name(told).await? else { return Ok(RoomNoted::Unknown) };
            let live = known.live();
            if !is_in(&live, told.room) {
                return Ok(RoomNoted::Unknown);
            }
            let Some(after) = live.with_report(told.report, now) else { return Ok(RoomNoted::Nothing) };
            let (mut writes, noted) = match &known {
                InMediaRoom::Connection(connection) => {
                    let (writes, job) = reported(connection, (&live, &after), told.report, now)?;
                    (writes, job.map_or(RoomNoted::Changed, RoomNoted::Regranted))
                }
                InMediaRoom::Ended(live) => changed(live, after, told.report, now)?,
            };
            let guarded = writes.len();
            writes.extend(told.callback.map(|callback| callback_put(callback, now)));
            match self.transact(&writes).await? {
                Committed::Yes => return Ok(noted),
                // The webhook was recorded before.
                Committed::No(reasons) if reasons.iter().skip(guarded).any(is_failed_condition) => {
                    return Ok(RoomNoted::Nothing);
                }
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }

    async fn under_name(&self, told: RoomTold<'_>) -> Result<Option<InMediaRoom>, StoreError> {
        match told.stream.media_session() {
            Some(session) => self.in_media_room(&session, told.name).await,
            None => Ok(self.live_connection(told.stream, told.name).await?.map(Box::new).map(InMediaRoom::Ended)),
        }
    }

    /// The connections of a room, live or ended.
    ///
    /// A request for each shard, and for every 1 MB in it; one more for a media session's.
    pub async fn room_connections(
        &self,
        stream: &Stream,
        room: &ProviderSessionId,
    ) -> Result<Vec<LiveConnection>, StoreError> {
        // Each shard is read into connections by itself, so that the items of all are never there at once.
        let shards = (0..SHARDS).map(|shard| async move {
            let query = self.query(partition(&stream.vhost, &stream.app, shard)).prefix(prefix(&stream.stream));
            let connections: Vec<LiveConnection> = serde_dynamo::from_items(query.all().await?)?;
            let of_room = connections.into_iter().filter(|connection| is_in(connection, room));
            Ok::<_, StoreError>(of_room.collect::<Vec<_>>())
        });
        let of_session = async {
            match stream.media_session() {
                Some(session) => self.connections_in_room(&session, room).await,
                None => Ok(Vec::new()),
            }
        };
        let (shards, of_session) = tokio::try_join!(try_join_all(shards), of_session)?;
        Ok(shards.into_iter().flatten().chain(of_session).collect())
    }

    /// What is known of a room. One request.
    pub async fn room_standing(&self, room: &ProviderSessionId, now: Timestamp) -> Result<RoomStanding, StoreError> {
        let media = match RoomName::parse(room.as_str()) {
            Some(RoomName::MediaSession(session)) => Some(session),
            _ => None,
        };
        let session = media.as_ref().map_or_else(|| Unique::ProviderSession.key(room.as_str()), media_session::key);
        let mut standing = RoomStanding::Foreign;
        for item in self.batch(vec![gone_key(room).attributes(), session.attributes()]).await? {
            if item.get("Type") == Some(&s(GONE_ROOM)) {
                // A former room of a deleted session is found until its event is deleted.
                if now < serde_dynamo::from_item::<_, GoneRoom>(item)?.expires_at {
                    return Ok(RoomStanding::Gone);
                }
            } else if media.is_some() {
                standing = media_session::standing(item, room)?.unwrap_or(standing);
            } else {
                standing = RoomStanding::Ours;
            }
        }
        Ok(standing)
    }

    /// Records that a room is open. One request.
    pub async fn remember_open_room(
        &self,
        room: &ProviderSessionId,
        sid: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let open = OpenRoom { room: room.clone(), sid: sid.to_owned(), expires_at: now + OPEN };
        self.write(Item { key: open_key(room), kind: "OpenRoom", entity: &open }.put()?).await.map(drop)
    }

    /// Records that a room was closed, unless it has been made again since. One request.
    pub async fn forget_open_room(&self, room: &ProviderSessionId, sid: &str) -> Result<(), StoreError> {
        let delete = Write::delete(open_key(room)).when("sid = :sid").value(":sid", s(sid));
        self.write(delete).await.map(drop)
    }

    /// The rooms that were reported to be open. A request for each shard.
    pub async fn open_rooms(&self, now: Timestamp) -> Result<Vec<OpenRoom>, StoreError> {
        let shards = (0..ROOM_SHARDS).map(|shard| self.query(open_partition(shard)).all());
        let items = try_join_all(shards).await?.into_iter().flatten().collect::<Vec<_>>();
        let rooms: Vec<OpenRoom> = serde_dynamo::from_items(items)?;
        Ok(rooms.into_iter().filter(|room| now < room.expires_at).collect())
    }

    /// Has the LiveKit server delete the room of a deleted session once more, because somebody came back to it.
    /// Returns the job. One request.
    pub async fn close_room_again(&self, room: &ProviderSessionId, now: Timestamp) -> Result<JobKey, StoreError> {
        let (job, put) = job_put(OutboxMessage::DeleteRoom { room: room.clone() }, now)?;
        self.transact(&[gone_put(room, now)?, put]).await.map(|_| job)
    }

    /// Closes the rooms of a deleted session, the present one and the former ones.
    pub(crate) async fn close_rooms_of_session(
        &self,
        event: u64,
        session: u64,
        present: Option<&ProviderSessionId>,
        at: Timestamp,
    ) -> Result<Worked, StoreError> {
        let former = self.former_session_ids(event, Some(session)).await?;
        let all = present.into_iter().chain(former.iter().map(|(_, former)| former));
        Ok(Worked { done: true, messages: self.close_rooms(all, at).await? })
    }

    /// Closes those rooms among these provider's sessions that are not closed yet. Returns the outbox messages that
    /// have the LiveKit server delete them.
    ///
    /// A request for each room, several at once.
    pub(crate) async fn close_rooms(
        &self,
        sessions: impl Iterator<Item = &ProviderSessionId>,
        at: Timestamp,
    ) -> Result<Vec<JobKey>, StoreError> {
        let rooms = sessions.filter(|session| RoomName::parse(session.as_str()).is_some());
        let closed = join_all(rooms.map(|room| async move {
            let (job, put) = job_put(OutboxMessage::DeleteRoom { room: room.clone() }, at)?;
            let writes = [gone_put(room, at)?.when_new(), put, Write::delete(open_key(room))];
            let is_first = self.transact(&writes).await?;
            Ok::<_, StoreError>(matches!(is_first, Committed::Yes).then_some(job))
        }));
        let closed: Result<Vec<_>, _> = closed.await.into_iter().collect();
        Ok(closed?.into_iter().flatten().collect())
    }
}

fn gone_put(room: &ProviderSessionId, now: Timestamp) -> Result<Write, StoreError> {
    Item { key: gone_key(room), kind: GONE_ROOM, entity: &GoneRoom { expires_at: now + GONE } }.put()
}

/// The writes after a report about a connection. If nobody may be in the room under its name, and the report says that
/// somebody is, there is also a job that removes them.
fn changed(
    before: &LiveConnection,
    after: LiveConnection,
    report: &Report,
    now: Timestamp,
) -> Result<(Vec<Write>, RoomNoted), StoreError> {
    let is_unwanted = report.reported.is_presence() && after.sends_away(now);
    let message = message(&after).filter(|_| is_unwanted);
    let mut writes = live_change(Some(before), after, now)?;
    let job = message.map(|message| claimed_put(message.into(), now)).transpose()?;
    let job = job.map(|(job, put)| {
        writes.push(put);
        job
    });
    Ok((writes, job.map_or(RoomNoted::Changed, RoomNoted::Held)))
}

fn is_in(connection: &LiveConnection, room: &ProviderSessionId) -> bool {
    connection.provider_session() == Some(room)
}
