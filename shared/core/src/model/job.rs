//! Jobs: the work that a change needs beyond its first transaction. A job is stored until a process has done it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::live::{EndedBy, Stream};
use crate::{
    clock::Timestamp,
    id::{ArchiveId, ConnectionId, ConnectionName, MediaSessionId, ProviderSessionId},
};

/// How long a process may work on a job before another one may take it. One turn of any work takes less.
pub const LEASE: Duration = Duration::from_secs(20);
/// How long after a publisher came or went the viewers of the stream are checked again. By then, every viewer who was
/// being admitted at that time is in the list.
pub const SETTLED_AFTER: Duration = Duration::from_secs(15);
/// How long delivery of an outbox message is tried. A media server that is down for so long has lost its clients.
pub const KEPT: Duration = Duration::from_hours(24);
/// The longest wait before the next attempt.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// A job.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Job {
    /// A message to a media server has to be delivered.
    OutboxMessage(OutboxMessage),
    /// Items of the table have to be changed.
    Work(Work),
}

/// Changes of items in the table. Work that broke off can begin again, and two processes may do it at the same time.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Work {
    /// An event was deleted: delete its login tokens and its sessions, and end their live connections.
    ClearEvent {
        /// The event.
        event: u64,
    },
    /// An event's session was deleted: end its live connections.
    ClearSession {
        /// The event.
        event: u64,
        /// The session.
        session: u64,
        /// Who deleted it.
        by: EndedBy,
        /// The media provider's id of the session when it was deleted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_session: Option<ProviderSessionId>,
    },
    /// A user was deleted: remove the user from the events that they managed, from their rooms and from all rosters,
    /// and as the creator of other users, and delete their archives.
    ClearUser {
        /// Their number.
        user: u64,
        /// Their last username.
        username: String,
    },
    /// A user is no manager any more: remove the user from the events that they managed.
    LeaveEvents {
        /// The user.
        user: u64,
    },
    /// A user was renamed: rename the participant in their rooms.
    Rename {
        /// The user.
        user: u64,
        /// Their former username.
        before: String,
    },
    /// A media session was closed: delete its connections.
    ClearMediaSession {
        /// The session.
        session: MediaSessionId,
        /// The id of the closing.
        closing: String,
    },
    /// A publisher came or went: end or extend the connections of the stream's viewers.
    SettleViewers {
        /// The stream.
        stream: Stream,
    },
    /// A room ended so long ago that no stream of events needs its archive: delete the archive.
    ClearArchive {
        /// The room's archive.
        archive: ArchiveId,
    },
}

/// A message to a media server.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OutboxMessage {
    /// The media provider has to disconnect all clients under a name.
    DisconnectProvider {
        /// The provider's id of the session.
        provider_session: ProviderSessionId,
        /// The stream that has the name.
        stream: Stream,
        /// The connection's name in the list of live sessions.
        name: ConnectionName,
    },
    /// The media provider has to disconnect one client, whose item is deleted.
    DisconnectClient {
        /// The provider's id of the session.
        provider_session: ProviderSessionId,
        /// The provider's id of the connection.
        connection: String,
    },
    /// An OvenMediaEngine has to end the session under a name.
    TerminateSession {
        /// The stream. Greenroom and the media server have the same names for it.
        stream: Stream,
        /// The name of the session.
        name: ConnectionName,
        /// The id of the termination.
        by: String,
    },
    /// A LiveKit server has to remove the participant under a name.
    RemoveParticipant {
        /// The room.
        room: ProviderSessionId,
        /// The name, which is the participant's identity.
        name: ConnectionName,
    },
    /// A LiveKit server has to give a participant the rights that their connection has now.
    UpdateParticipant {
        /// The media session.
        session: MediaSessionId,
        /// The connection.
        connection: ConnectionId,
    },
    /// A LiveKit server has to delete a room, and so put everybody out.
    DeleteRoom {
        /// The room.
        room: ProviderSessionId,
    },
}

impl Job {
    /// Whether a job that keeps failing is given up: an outbox message after [`KEPT`], work never.
    #[must_use]
    pub fn is_given_up(&self, created_at: Timestamp, now: Timestamp) -> bool {
        matches!(self, Self::OutboxMessage(_)) && created_at + KEPT <= now
    }
}

impl From<OutboxMessage> for Job {
    fn from(message: OutboxMessage) -> Self {
        Self::OutboxMessage(message)
    }
}

impl From<Work> for Job {
    fn from(work: Work) -> Self {
        Self::Work(work)
    }
}

// No log prints names or ids.
crate::opaque!(Job, OutboxMessage, Work);

/// The wait after this number of failed attempts: a second, then twice as long each time, at most 5 minutes.
#[must_use]
pub fn wait_after(attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_secs(doubled.into()).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> OutboxMessage {
        OutboxMessage::TerminateSession {
            stream: Stream::of_session(1, 2),
            name: ConnectionName::random(),
            by: "once".to_owned(),
        }
    }

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_five_minutes() {
        let waits = [1, 2, 3, 8, 9, 10, 33, u32::MAX].map(|attempts| wait_after(attempts).as_secs());
        assert_eq!(waits, [1, 2, 4, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_job_does_not_show_itself_in_a_debug_print() {
        let message = message();
        let work = Work::ClearUser { user: 1, username: "ada".to_owned() };
        assert_eq!(format!("{message:?} {work:?} {:?}", Job::from(work.clone())), "OutboxMessage Work Job");
    }

    #[test]
    fn work_is_never_given_up() {
        let (begun, late) = (Timestamp::from_seconds(0), Timestamp::from_seconds(0) + KEPT);
        let message = message();
        assert!(Job::from(message.clone()).is_given_up(begun, late));
        assert!(!Job::from(message).is_given_up(begun, late - Duration::from_millis(1)));
        assert!(!Job::from(Work::ClearEvent { event: 1 }).is_given_up(begun, late));
    }
}
