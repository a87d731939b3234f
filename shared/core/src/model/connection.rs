//! Connections: each gives one participant the right to join one media session (`docs/apis/openvidu.md`).

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::login_token::StreamRole;
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, MediaSessionId, random_hex},
};

/// The version of OpenVidu whose token URLs Greenroom issues.
const TOKEN_VERSION: &str = "2.15.0";

/// The rights of a participant in a media session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = MediaRole)]
pub enum Role {
    /// Receive streams.
    Subscriber,
    /// Receive and send streams.
    #[default]
    Publisher,
    /// Receive and send streams, and disconnect other participants.
    Moderator,
}

impl From<Role> for StreamRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Subscriber => Self::Subscriber,
            Role::Publisher => Self::Publisher,
            Role::Moderator => Self::Moderator,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The URL with which a participant joins. It is a secret, and only the back-end sees it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "wss://greenroom.example?sessionId=ses_0a1b&token=tok_2c3d&role=PUBLISHER&version=2.15.0")]
pub struct MediaToken(String);

impl MediaToken {
    /// A new token for the media server at this host.
    #[must_use]
    pub fn new(host: &str, session: &MediaSessionId, role: Role) -> Self {
        let token = random_hex();
        Self(format!("wss://{host}?sessionId={session}&token=tok_{token}&role={role}&version={TOKEN_VERSION}"))
    }
}

crate::opaque!(MediaToken);

/// Metadata that a back-end attaches to a token. Greenroom passes it on and never reads it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, max_length = 10_000, example = "{\"name\":\"Alice\"}")]
pub struct ServerData(String);

impl ServerData {
    /// The longest metadata, in characters.
    pub const MAX: usize = 10_000;

    /// This text as metadata; `None` if it has more than [`MAX`](Self::MAX) characters.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        (text.chars().count() <= Self::MAX).then_some(Self(text))
    }

    /// The metadata; `None` if it is empty.
    #[must_use]
    pub fn given(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

crate::opaque!(ServerData);

/// A connection to a media session, made by issuing its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id, which is also its name in the list of live sessions.
    pub connection_id: ConnectionId,
    /// The media session it is in.
    pub session_id: MediaSessionId,
    /// The URL with which its participant joins.
    pub token: MediaToken,
    /// The rights of its participant.
    pub role: Role,
    /// The metadata that the back-end attached to it.
    pub server_data: ServerData,
    /// When its token was issued.
    pub created_at: Timestamp,
    /// When its token ends.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}

impl Connection {
    /// A new connection for the media server at `host`, whose token lives for `ttl`.
    #[must_use]
    pub fn issue(
        session_id: MediaSessionId,
        role: Role,
        server_data: ServerData,
        host: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Self {
        let expires_at = (now + ttl).whole_second();
        Self {
            connection_id: ConnectionId::ending_at(expires_at),
            token: MediaToken::new(host, &session_id, role),
            session_id,
            role,
            server_data,
            created_at: now,
            expires_at,
        }
    }

    /// Whether its token has not expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}
