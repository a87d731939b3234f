//! Connections: each gives one participant the right to join one media session (`docs/apis/openvidu.md`,
//! `docs/apis/openvidu-2.32.md`).

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ice_server::IceServer, live::Presence, login_token::StreamRole};
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionId, MediaSessionId, ProviderSessionId, random_hex},
};

/// The version of OpenVidu in the token URLs of `/api/tokens`.
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
    /// A new token for the media server at this host, as OpenVidu makes it since 2.17.
    #[must_use]
    pub fn new(host: &str, session: &MediaSessionId) -> Self {
        Self(format!("wss://{host}?sessionId={session}&token=tok_{}", random_hex()))
    }

    /// A new token for the media server at this host, as OpenVidu made it until 2.16.
    #[must_use]
    pub fn with_role(host: &str, session: &MediaSessionId, role: Role) -> Self {
        let Self(token) = Self::new(host, session);
        Self(format!("{token}&role={role}&version={TOKEN_VERSION}"))
    }

    /// A LiveKit server's token as a URL, at the address that clients connect to.
    #[must_use]
    pub fn of_room(url: &str, session: &MediaSessionId, token: &str) -> Self {
        Self(format!("{url}?sessionId={session}&token={token}"))
    }

    /// No token. It is shown of a connection whose LiveKit server is configured no more.
    #[must_use]
    pub const fn none() -> Self {
        Self(String::new())
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

    /// The metadata as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The metadata; `None` if it is empty.
    #[must_use]
    pub fn given(self) -> Option<Self> {
        (!self.0.is_empty()).then_some(self)
    }
}

crate::opaque!(ServerData);

/// Options for the media server of OpenVidu. Greenroom shows them and does not use them. Bandwidths are in kbit/s.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KurentoOptions {
    /// The most that its participant receives of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 1000)]
    pub video_max_recv_bandwidth: Option<i64>,
    /// The least that its participant receives of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 300)]
    pub video_min_recv_bandwidth: Option<i64>,
    /// The most that its participant sends of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 1000)]
    pub video_max_send_bandwidth: Option<i64>,
    /// The least that its participant sends of a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 300)]
    pub video_min_send_bandwidth: Option<i64>,
    /// The filters that its participant may apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["GStreamerFilter"]))]
    pub allowed_filters: Vec<String>,
}

crate::opaque!(KurentoOptions);

/// The rights that a back-end gives a participant, and the data that go with them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grant {
    /// The rights of the participant.
    pub role: Role,
    /// The metadata that the back-end attached.
    pub server_data: ServerData,
    /// Whether the participant's streams are recorded where the session is.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub record: bool,
    /// Options for the media server, if the back-end gave some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kurento_options: Option<KurentoOptions>,
    /// The ICE servers that the participant's client has to use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ice_servers: Vec<IceServer>,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serializer's signature")]
const fn is_yes(value: &bool) -> bool {
    *value
}

/// A change of a connection's rights. What is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GrantChange {
    /// The new rights of the participant.
    pub role: Option<Role>,
    /// Whether the participant's streams are recorded from now on.
    pub record: Option<bool>,
}

impl GrantChange {
    /// This grant after the change.
    #[must_use]
    pub fn of(self, grant: Grant) -> Grant {
        Grant { role: self.role.unwrap_or(grant.role), record: self.record.unwrap_or(grant.record), ..grant }
    }

    /// Whether it leaves this grant as it is.
    #[must_use]
    pub fn changes_nothing(&self, grant: &Grant) -> bool {
        self.role.is_none_or(|role| role == grant.role) && self.record.is_none_or(|record| record == grant.record)
    }
}

/// What the participant of a connection joins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Ticket {
    /// A token, which stays the same.
    Token {
        /// The token.
        token: MediaToken,
    },
    /// A token for a LiveKit room. It is signed each time it is read, and so it is not stored.
    Room {
        /// The room.
        room: ProviderSessionId,
    },
}

/// A connection to a media session, made by issuing its token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id, which is also its name in the list of live sessions.
    pub connection_id: ConnectionId,
    /// The media session it is in.
    pub session_id: MediaSessionId,
    /// What its participant joins with.
    #[serde(flatten)]
    pub ticket: Ticket,
    /// The rights of its participant.
    #[serde(flatten)]
    pub grant: Grant,
    /// When its token was issued.
    pub created_at: Timestamp,
    /// When its token ends. After a report of its participant, how long its item is kept.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
    /// What the LiveKit server has reported of its participant, if it has reported anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub presence: Option<Presence>,
    /// The number of reports that changed it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub revision: u32,
    /// Whether its role was changed, so that an earlier token has other rights.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub role_changed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serializer's signature")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Connection {
    /// A new connection, whose token lives for `ttl`.
    #[must_use]
    pub fn issue(session_id: MediaSessionId, ticket: Ticket, grant: Grant, now: Timestamp, ttl: Duration) -> Self {
        let expires_at = (now + ttl).whole_second();
        let connection_id = ConnectionId::ending_at(expires_at);
        let (presence, revision, role_changed) = (None, 0, false);
        Self { connection_id, session_id, ticket, grant, created_at: now, expires_at, presence, revision, role_changed }
    }

    /// Its room at the LiveKit server, if its token is for one.
    #[must_use]
    pub const fn room(&self) -> Option<&ProviderSessionId> {
        match &self.ticket {
            Ticket::Room { room } => Some(room),
            Ticket::Token { .. } => None,
        }
    }

    /// When its token ends.
    #[must_use]
    pub fn token_ends_at(&self) -> Timestamp {
        self.presence.as_ref().map_or(self.expires_at, Presence::token_end)
    }

    /// Whether its token has not expired, or its participant is still there.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.presence.as_ref().map_or(self.expires_at, |presence| presence.ends_at)
    }
}
