//! Live connections: one participant's right to be in one media stream, wherever it came from (`ovenmediaengine.md`).

use serde::{Deserialize, Serialize};

use super::login_token::StreamRole;
use crate::{
    clock::{Timestamp, seconds},
    id::ConnectionName,
};

/// The virtual host of all streams that are not a media server's own.
pub const DEFAULT_VHOST: &str = "default";

/// A media stream: where connections are.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// Its virtual host.
    pub vhost: String,
    /// Its application: an event's id.
    pub app: String,
    /// Its name: an event session's id.
    pub stream: String,
}

impl Stream {
    /// The stream of an event's session.
    #[must_use]
    pub fn of_session(event: u64, session: u64) -> Self {
        Self { vhost: DEFAULT_VHOST.to_owned(), app: event.to_string(), stream: session.to_string() }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

/// A live connection of a stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveConnection {
    /// What the list of live sessions calls it.
    pub name: ConnectionName,
    /// Where it is.
    #[serde(flatten)]
    pub stream: Stream,
    /// What its participant may do.
    pub role: StreamRole,
    /// When its token was issued.
    pub created_at: Timestamp,
    /// When its token ends.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}
