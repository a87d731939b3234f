//! What a LiveKit server reports of the rooms of media sessions and of the participants in them.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, ConnectionName, MediaSessionId, ProviderSessionId},
    model::{
        Connection, MediaSession,
        job::OutboxMessage,
        live::{LiveConnection, REMEMBERED, Report, Stream},
    },
};

use super::{MORE, Unknown, connection_key, connections, key, partition, unchanged};
use crate::{
    Attributes, ClaimedJob, Key, RoomStanding, Store, StoreError,
    job::claimed_put,
    live::{ledger_change, live_key},
    n, s,
    write::Write,
};

/// How long before its end a session in whose room somebody is gets more time.
const SOON: Duration = Duration::from_mins(10);

/// What is known under a name in the room of a media session.
pub(crate) enum InMediaRoom {
    /// A connection of the session.
    Connection(Box<Connection>),
    /// What its end left behind.
    Ended(Box<LiveConnection>),
}

impl InMediaRoom {
    /// The connection as it is in every room.
    pub(crate) fn live(&self) -> LiveConnection {
        match self {
            Self::Connection(connection) => LiveConnection::of_media(connection),
            Self::Ended(live) => (**live).clone(),
        }
    }
}

impl Store {
    /// The room of a live session; `None` if it has none. One request.
    pub async fn media_room(
        &self,
        session: &MediaSessionId,
        now: Timestamp,
    ) -> Result<Result<Option<ProviderSessionId>, Unknown>, StoreError> {
        let session = self.item::<MediaSession>(key(session)).await?.filter(|session| session.is_live(now));
        Ok(session.map(|session| session.room).ok_or(Unknown::Session))
    }

    /// What is known under a name in a media session. `None` if no connection has ever had the name, or it ended too
    /// long ago.
    ///
    /// One request.
    pub(crate) async fn in_media_room(
        &self,
        session: &MediaSessionId,
        name: &ConnectionName,
    ) -> Result<Option<InMediaRoom>, StoreError> {
        let Some(connection) = ConnectionId::parse(name.as_str()) else { return Ok(None) };
        let ended = live_key(&Stream::of_media_session(session), name).map(Key::attributes);
        let keys = [connection_key(session, &connection).attributes()].into_iter().chain(ended).collect();
        let (mut connection, mut ended) = (None, None);
        for item in self.batch(keys).await? {
            if item.contains_key("connectionId") {
                connection = Some(InMediaRoom::Connection(Box::new(serde_dynamo::from_item(item)?)));
            } else {
                ended = Some(InMediaRoom::Ended(Box::new(serde_dynamo::from_item(item)?)));
            }
        }
        Ok(connection.or(ended))
    }

    /// The connections of a session's room. A request for every 1 MB.
    pub(crate) async fn connections_in_room(
        &self,
        session: &MediaSessionId,
        room: &ProviderSessionId,
    ) -> Result<Vec<LiveConnection>, StoreError> {
        let items = self.query(partition(session)).prefix(connections(session)).all().await?;
        let found: Vec<Connection> = serde_dynamo::from_items(items)?;
        let found = found.iter().filter(|connection| connection.room() == Some(room));
        Ok(found.map(LiveConnection::of_media).collect())
    }

    /// Keeps a session in whose room somebody is, although all of its tokens have ended. One request.
    pub async fn keep_media_session(
        &self,
        session: &MediaSessionId,
        room: &ProviderSessionId,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let update = Write::update(key(session), "SET expiresAt = :later")
            .when("room = :room AND attribute_not_exists(closedAt) AND expiresAt BETWEEN :now AND :soon")
            .value(":later", n((now + MORE).seconds()))
            .value(":room", s(room.as_str()))
            .value(":now", n(now.seconds()))
            .value(":soon", n((now + SOON).seconds()));
        self.write(update).await.map(drop)
    }
}

/// What the item of a media session says of a room. `None` if the item is that of another session with the same id.
pub(crate) fn standing(item: Attributes, room: &ProviderSessionId) -> Result<Option<RoomStanding>, StoreError> {
    let session: MediaSession = serde_dynamo::from_item(item)?;
    let standing = if session.closed_at.is_some() { RoomStanding::Gone } else { RoomStanding::Ours };
    Ok((session.room.as_ref() == Some(room)).then_some(standing))
}

/// The writes after a report about a connection. If the participant has just come, and may have a token from before the
/// connection's role was changed, there is also a job that gives them their present rights. The first write has the
/// condition that no other report came first.
pub(crate) fn reported(
    connection: &Connection,
    (before, after): (&LiveConnection, &LiveConnection),
    report: &Report,
    now: Timestamp,
) -> Result<(Vec<Write>, Option<ClaimedJob>), StoreError> {
    let key = connection_key(&connection.session_id, &connection.connection_id);
    // The participant may come back for a while after the token's end, with one that the server gave them.
    let kept = after.ends_at.max(now + REMEMBERED);
    let update = Write::update(key, "SET presence = :presence, revision = :revision, expiresAt = :kept")
        .value(":presence", serde_dynamo::to_attribute_value(after.presence())?)
        .value(":revision", n(connection.revision + 1))
        .value(":kept", n(kept.seconds()));
    let mut writes = vec![unchanged(update, connection.revision)];
    writes.extend(ledger_change(Some(before), after, now)?);
    let sid = |live: &LiveConnection| live.participant.as_ref().map(|participant| participant.sid.clone());
    let has_come = report.reported.is_presence() && sid(before) != sid(after);
    if !(has_come && connection.role_changed) {
        return Ok((writes, None));
    }
    let (session, connection) = (connection.session_id.clone(), connection.connection_id.clone());
    let (job, put) = claimed_put(OutboxMessage::UpdateParticipant { session, connection }.into(), now)?;
    writes.push(put);
    Ok((writes, Some(job)))
}
