//! Live connections: each gives one participant the right to be in one media stream (`docs/apis/ovenmediaengine.md`).
//!
//! A name in a stream has one connection at a time. The connection is live until it is ended or its right expires. Its
//! item is kept for [`REMEMBERED`] after that, so that a late or repeated webhook, or a terminated participant who
//! comes again, does not make it live again.

mod admission;
mod client;
mod end;
mod ending;
mod presence;
mod provider;
mod publishers;
mod report;
mod spells;
mod stream;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Connection, connection::ServerData, login_token::StreamRole};
use crate::{
    clock::{Timestamp, seconds},
    id::{ConnectionName, ProviderSessionId},
};

pub use self::{
    admission::{Refusal, Terms, Webhook},
    client::Client,
    end::{End, EndReason, EndedBy, Ender},
    ending::Ending,
    presence::Presence,
    provider::{CALLBACK_KEPT, Place, ProviderConnection, ProviderEvent, place_among},
    publishers::{AWAITED, Fate, Publishers, Publishing},
    report::{Report, Reported, RoomParticipant},
    spells::Spells,
    stream::{Stream, event_of},
};

/// The virtual host of all streams that do not belong to a media server.
pub const DEFAULT_VHOST: &str = "default";
/// The application of the media sessions of `docs/apis/openvidu.md`.
pub const MEDIA_APP: &str = "openvidu";
/// How long an ended connection's item is kept, and a media server's stream is known.
pub const REMEMBERED: Duration = Duration::from_hours(1);

/// How a connection was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Source {
    /// A token of an event's session.
    Event {
        /// The media provider's id of the session that the token is for.
        provider_session: ProviderSessionId,
    },
    /// A token of a media session.
    Media,
    /// A token of a media session whose participants are in a room of a LiveKit server.
    MediaRoom {
        /// The room that the token is for.
        room: ProviderSessionId,
    },
    /// A media server's webhook that admitted this client.
    Admission(Client),
}

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = LiveState)]
pub enum State {
    /// A token was issued, and no media server has reported a client with it.
    Issued,
    /// A participant is connected.
    Connected,
    /// A participant is connected, and the media server was asked to disconnect them.
    Ending,
    /// The connection is over.
    Ended,
}

/// The media provider of an event's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionProvider {
    /// A project of OpenTok, or its stand-in.
    OpenTok,
    /// An application of Vonage Video.
    Vonage,
    /// A LiveKit server.
    LiveKit,
}

/// A connection of a stream, live or ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiveConnection {
    /// Its name in the list of live sessions.
    pub name: ConnectionName,
    /// The stream.
    #[serde(flatten)]
    pub stream: Stream,
    /// The rights of its participant.
    pub role: StreamRole,
    /// How it was made.
    pub source: Source,
    /// The number of the login token that it was issued for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login_token: Option<u64>,
    /// The metadata that a back-end attached to its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<ServerData>,
    /// When its token was issued or its client was admitted.
    pub created_at: Timestamp,
    /// When its participant connected. `None` if no media server has reported that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_at: Option<Timestamp>,
    /// When its right ends.
    pub ends_at: Timestamp,
    /// How it ended, if that was before its right ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<End>,
    /// Until when nobody is admitted under its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// The id of its termination. With it, a repeated attempt is told from the termination of another request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminated_by: Option<String>,
    /// When it opened, by the media server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opened_at: Option<Timestamp>,
    /// The openings and closings that media servers have reported under its name.
    #[serde(default, skip_serializing_if = "Spells::is_empty")]
    pub spells: Spells,
    /// Openings up to this time, by the media server's clock, do not count: the connection was terminated then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred: Option<Timestamp>,
    /// When its right ends, if somebody publishes its stream before [`ends_at`](Self::ends_at). `None` if it does not
    /// wait for a publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub awaits: Option<Timestamp>,
    /// Whether the media server disconnects it by itself when its right ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cuts: bool,
    /// A termination that waits for the media server to disconnect the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// The number of connections that the media provider has open under its name.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub open: u32,
    /// The participant under its name in a LiveKit room, as last reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<RoomParticipant>,
    /// Why the last attempt to join the LiveKit room failed, if none has succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<EndReason>,
    /// When its token ends, while a participant is in a LiveKit room with it: the right to be there does not end then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_ends_at: Option<Timestamp>,
    /// The number of its changes.
    #[serde(default)]
    pub revision: u32,
    /// When its item expires.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the serializer's signature")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl LiveConnection {
    /// A connection that begins now. Its right ends at `ends_at`.
    #[must_use]
    pub fn begin(
        stream: Stream,
        name: ConnectionName,
        role: StreamRole,
        source: Source,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Self {
        Self {
            name,
            stream,
            role,
            source,
            login_token: None,
            data: None,
            created_at: now,
            connected_at: None,
            ends_at,
            ended: None,
            held_until: None,
            terminated_by: None,
            opened_at: None,
            spells: Spells::default(),
            barred: None,
            awaits: None,
            cuts: false,
            ending: None,
            open: 0,
            participant: None,
            failed: None,
            token_ends_at: None,
            revision: 0,
            expires_at: ends_at + REMEMBERED,
        }
    }

    /// The live connection of a media session's connection.
    #[must_use]
    pub fn of_media(connection: &Connection) -> Self {
        let stream = Stream::of_media_session(&connection.session_id);
        let name = ConnectionName::from(&connection.connection_id);
        let Connection { created_at, expires_at, .. } = *connection;
        let source = Source::of_media(connection.room().cloned());
        let live = Self::begin(stream, name, connection.grant.role.into(), source, created_at, expires_at);
        let live = Self { data: connection.grant.server_data.clone().given(), ..live };
        live.with_presence(connection.presence.clone())
    }

    /// Whether it is live: neither ended nor expired.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended.is_none() && now < self.ends_at
    }

    /// Whether nobody is admitted under its name.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }

    /// Whether it was terminated, and its token with it.
    #[must_use]
    pub fn is_terminated(&self) -> bool {
        self.ended.as_ref().is_some_and(|end| end.reason == EndReason::TERMINATED)
    }

    /// Whether it is proof that a media server has the stream: it was opened there, and has not ended more than
    /// [`REMEMBERED`] ago.
    #[must_use]
    pub fn is_witness(&self, now: Timestamp) -> bool {
        self.opened_at.is_some() && now < self.end_at() + REMEMBERED
    }

    /// Whether it is the publisher of a media server's stream. Publishers are admitted and not listed.
    #[must_use]
    pub fn is_publisher(&self) -> bool {
        matches!(self.source, Source::Admission(_)) && self.role == StreamRole::Publisher
    }

    /// When it ended, or when it expires.
    #[must_use]
    pub fn end_at(&self) -> Timestamp {
        self.ended.as_ref().map_or(self.ends_at, |end| end.at)
    }

    /// Its state.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> State {
        match self.connected_at {
            _ if !self.is_live(now) => State::Ended,
            _ if self.ending.is_some() => State::Ending,
            Some(_) => State::Connected,
            None => State::Issued,
        }
    }

    /// This connection, after its end.
    #[must_use]
    pub fn ended(mut self, at: Timestamp, reason: EndReason, by: EndedBy) -> Self {
        self.ended = Some(End { at, reason, by: Some(by) });
        (self.ending, self.awaits, self.failed) = (None, None, None);
        self.ends_at = self.token_ends_at.take().unwrap_or(self.ends_at);
        self.kept(at)
    }

    /// Keeps the item as long as it can be of use: a token may end after its connection.
    fn kept(mut self, now: Timestamp) -> Self {
        let token = match self.source {
            Source::Event { .. } | Source::Media | Source::MediaRoom { .. } => self.ends_at,
            Source::Admission(_) => now,
        };
        self.expires_at = token.max(now).max(self.held_until.unwrap_or(now)) + REMEMBERED;
        self
    }
}

#[cfg(test)]
mod tests;
