//! What a LiveKit server has reported of a media session's connection (`docs/apis/livekit.md`).
//!
//! It lies in the connection's own item. So a session is still read whole by one query, a report leads to its connection
//! by key, and whoever changes or ends the connection has one item to put a condition on. The rules are those of
//! [`LiveConnection::with_report`] for every room.

use serde::{Deserialize, Serialize};

use super::{End, EndReason, LiveConnection, RoomParticipant, Source};
use crate::{clock::Timestamp, id::ProviderSessionId};

/// What is known of the participant of a media session's connection. The fields are those of a [`LiveConnection`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// When the right to be there ends.
    pub ends_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connected_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<End>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    participant: Option<RoomParticipant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<EndReason>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_ends_at: Option<Timestamp>,
}

impl Presence {
    /// When the token ends.
    #[must_use]
    pub fn token_end(&self) -> Timestamp {
        self.token_ends_at.unwrap_or(self.ends_at)
    }
}

impl Source {
    /// A token of a media session, which has this room if it has one.
    #[must_use]
    pub fn of_media(room: Option<ProviderSessionId>) -> Self {
        room.map_or(Self::Media, |room| Self::MediaRoom { room })
    }
}

impl LiveConnection {
    /// The tracks that its participant publishes now, by the server's ids, and since when.
    #[must_use]
    pub fn published(&self) -> Vec<(&str, Timestamp)> {
        self.participant.as_ref().map(|participant| participant.published().collect()).unwrap_or_default()
    }

    /// What is known of its participant.
    #[must_use]
    pub fn presence(&self) -> Presence {
        let Self { connected_at, ends_at, ended, participant, failed, token_ends_at, .. } = self.clone();
        Presence { ends_at, connected_at, ended, participant, failed, token_ends_at }
    }

    /// This connection, with what is known of its participant.
    #[must_use]
    pub fn with_presence(self, presence: Option<Presence>) -> Self {
        let Some(Presence { ends_at, connected_at, ended, participant, failed, token_ends_at }) = presence else {
            return self;
        };
        Self { connected_at, ends_at, ended, participant, failed, token_ends_at, ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        id::MediaSessionId,
        model::{
            Connection, MediaSession,
            connection::{Grant, MediaToken, Role, ServerData, Ticket},
            live::{EndedBy, Report, Reported, SessionProvider, State},
        },
    };

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn connection(ticket: Ticket) -> Connection {
        let (kurento_options, ice_servers) = (None, Vec::new());
        let server_data = ServerData::default();
        let grant = Grant { role: Role::Publisher, server_data, record: true, kurento_options, ice_servers };
        Connection::issue(MediaSessionId::random(), ticket, grant, NOW, HOUR)
    }

    fn in_room() -> Connection {
        let session = MediaSession::open(None, crate::model::media_session::SessionProperties::default(), NOW, HOUR);
        connection(Ticket::Room { room: session.with_room().room.unwrap() })
    }

    /// The connection after a report, an hour later than the last.
    fn told(connection: &Connection, reported: Reported, now: Timestamp) -> Connection {
        let (sid, room_sid) = ("PA_1".to_owned(), "RM_1".to_owned());
        let report = Report { sid, room_sid, joined_at: Some(NOW), at: now, reported };
        let after = LiveConnection::of_media(connection).with_report(&report, now).unwrap();
        Connection { presence: Some(after.presence()), ..connection.clone() }
    }

    #[test]
    fn reports_change_a_media_sessions_connection_as_any_other() {
        let joined = told(&in_room(), Reported::Joined, NOW);
        let live = LiveConnection::of_media(&joined);
        assert_eq!((live.state(NOW), live.connected_at), (State::Connected, Some(NOW)));
        assert_eq!(live.provider(), Some(SessionProvider::LiveKit));
        let publishes = told(&joined, Reported::Published("TR_A".to_owned()), NOW + HOUR / 2);
        assert_eq!(LiveConnection::of_media(&publishes).published(), [("TR_A", NOW + HOUR / 2)]);
        let left = told(&publishes, Reported::Left(EndReason::LEFT), NOW + HOUR / 2);
        let live = LiveConnection::of_media(&left);
        assert_eq!((live.state(NOW + HOUR / 2), live.published()), (State::Ended, Vec::new()));
        assert!(live.may_return(NOW + HOUR / 2) && left.is_live(NOW + HOUR / 2));
    }

    #[test]
    fn a_participant_outlives_the_token_of_a_media_session() {
        let issued = in_room();
        assert!(!issued.is_live(NOW + HOUR));
        let joined = told(&issued, Reported::Joined, NOW);
        assert!(joined.is_live(NOW + HOUR));
        assert_eq!(joined.token_ends_at(), issued.token_ends_at());
        let left = told(&joined, Reported::Left(EndReason::LEFT), NOW + 2 * HOUR);
        assert!(!left.is_live(NOW + 2 * HOUR));
        assert_eq!(left.token_ends_at(), issued.token_ends_at());
    }

    #[test]
    fn a_terminated_token_of_a_room_holds_its_name() {
        let terminated = LiveConnection::of_media(&in_room()).terminated(NOW, Duration::ZERO, "once", EndedBy::BACKEND);
        assert!(terminated.is_held(NOW + HOUR) && terminated.sends_away(NOW + HOUR));
        let session = MediaSessionId::random();
        let plain = connection(Ticket::Token { token: MediaToken::new("greenroom.example", &session) });
        assert!(
            !LiveConnection::of_media(&plain).terminated(NOW, Duration::ZERO, "once", EndedBy::BACKEND).is_held(NOW)
        );
    }

    #[test]
    fn a_connection_reads_back_with_its_token_or_its_room() {
        let token = MediaToken::new("greenroom.example", &MediaSessionId::random());
        for connection in [connection(Ticket::Token { token }), told(&in_room(), Reported::Joined, NOW)] {
            let written = serde_json::to_value(&connection).unwrap();
            assert_eq!(serde_json::from_value::<Connection>(written).unwrap(), connection);
        }
    }
}
