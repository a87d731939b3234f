//! The names of a stream's live connections.

use futures_util::future::try_join_all;
use greenroom_core::{
    clock::Timestamp,
    id::ConnectionName,
    model::live::{End, LiveConnection, REMEMBERED, Stream},
};
use serde::Deserialize;

use super::{KEY_MAX, SHARDS, partition, prefix, publishers};
use crate::{Attributes, Store, StoreError};

/// The attributes of a connection that a list needs.
const LISTED: &str = "SK, #name, createdAt, endsAt, ended, openedAt";

/// The live connections of a stream.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Their names, in the order in which they came.
    pub names: Vec<ConnectionName>,
    /// Whether there is such a stream, as far as the reads for the list show.
    pub known: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    #[serde(rename = "SK")]
    sk: String,
    name: ConnectionName,
    created_at: Timestamp,
    ends_at: Timestamp,
    ended: Option<End>,
    opened_at: Option<Timestamp>,
}

impl Row {
    fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.ends_at
    }

    fn is_witness(&self, now: Timestamp) -> bool {
        let end = self.ended.as_ref().map_or(self.ends_at, |end| end.at);
        self.opened_at.is_some() && now < end + REMEMBERED
    }
}

impl Store {
    /// The names of a stream's live connections from all sources.
    ///
    /// A request for each shard, in parallel, and another for every 1 MB in one of them; two more for an event's
    /// stream, one more for a media session's.
    pub async fn live_names(&self, stream: &Stream, now: Timestamp) -> Result<Listed, StoreError> {
        let rows = async {
            let shards = (0..SHARDS).map(|shard| self.rows(stream, shard));
            Ok::<_, StoreError>(try_join_all(shards).await?.into_iter().flatten().collect::<Vec<_>>())
        };
        let media = async {
            match stream.media_session() {
                Some(session) => self.media_session(&session, now).await,
                None => Ok(None),
            }
        };
        let (rows, session, media) = tokio::try_join!(rows, self.is_event_session(stream), media)?;
        let mut rows: Vec<Row> = serde_dynamo::from_items(rows)?;
        let known = session == Some(true) || media.is_some() || rows.iter().any(|row| row.is_witness(now));
        let publishers = publishers(&stream.stream);
        // A token that nobody has used counts only while its session exists.
        let counts = |row: &Row| row.opened_at.is_some() || session == Some(true);
        rows.retain(|row| row.is_live(now) && counts(row) && !row.sk.starts_with(&publishers));
        let media = media.into_iter().flat_map(|(_, connections)| connections);
        // A participant who has left a room is listed no more, although the token is still good.
        let media = media.filter(|connection| LiveConnection::of_media(connection).is_live(now));
        let media = media.map(|connection| (connection.created_at, ConnectionName::from(&connection.connection_id)));
        let mut found: Vec<_> = rows.into_iter().map(|row| (row.created_at, row.name)).chain(media).collect();
        found.sort();
        Ok(Listed { names: found.into_iter().map(|(_, name)| name).collect(), known })
    }

    async fn rows(&self, stream: &Stream, shard: u8) -> Result<Vec<Attributes>, StoreError> {
        let (partition, prefix) = (partition(&stream.vhost, &stream.app, shard), prefix(&stream.stream));
        if partition.len() > KEY_MAX[0] || prefix.len() > KEY_MAX[1] {
            // No item can have such a key.
            return Ok(Vec::new());
        }
        self.query(partition).prefix(prefix).only(LISTED).name("#name", "name").all().await
    }
}
