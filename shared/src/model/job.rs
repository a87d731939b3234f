//! What is still to be done: whatever a change needs beyond its first transaction, kept until one of us has done it.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::live::{EndedBy, Stream};
use crate::{
    clock::Timestamp,
    id::{ArchiveId, ConnectionName, MediaSessionId, ProviderSessionId},
};

/// How long a job is another's once one has taken it: longer than anybody is at it in one go.
pub const LEASE: Duration = Duration::from_secs(20);
/// How long after a publisher came or went its viewers are looked at once more: by then, whoever was being let in at
/// the time is.
pub const SETTLED_AFTER: Duration = Duration::from_secs(15);
/// For how long an outbox message is tried. A media server that was down for so long holds nobody any more.
pub const KEPT: Duration = Duration::from_hours(24);
/// Longest wait before the next attempt.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// What is still to be done.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Job {
    /// A media server is to be told something.
    OutboxMessage(OutboxMessage),
    /// Something is to be done in the table.
    Work(Work),
}

/// What is to be done in the table. Each can be begun again, wherever it broke off, and two may be at it at once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Work {
    /// An event is gone: so are its login tokens, its sessions and whoever is in them.
    ClearEvent {
        /// The event.
        event: u64,
    },
    /// An event's session is gone: so is whoever is in it.
    ClearSession {
        /// The event.
        event: u64,
        /// The session.
        session: u64,
        /// Who deleted it.
        by: EndedBy,
    },
    /// A user is gone: they leave the events they managed, their rooms and everybody's rosters, nobody was made by
    /// them, and their archives are deleted.
    ClearUser {
        /// Their number.
        user: u64,
        /// What they were called.
        username: String,
    },
    /// A user is no manager any more: they leave the events they managed.
    LeaveEvents {
        /// The user.
        user: u64,
    },
    /// A user is called something else: in their rooms they go on under what they are called now.
    Rename {
        /// The user.
        user: u64,
        /// What they were called.
        before: String,
    },
    /// A media session was closed: so were its connections.
    ClearMediaSession {
        /// The session.
        session: MediaSessionId,
        /// Which closing of it.
        closing: String,
    },
    /// A publisher came or went: the viewers of the stream go with the one, or stay with the other.
    SettleViewers {
        /// The stream.
        stream: Stream,
    },
    /// A room has ended, and nobody is told any more of what was said there.
    ClearArchive {
        /// What was said.
        archive: ArchiveId,
    },
}

/// What a media server is to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum OutboxMessage {
    /// The media provider ends every connection that a name has.
    DisconnectProvider {
        /// The session, as the provider calls it.
        provider_session: ProviderSessionId,
        /// The stream that the connection is of.
        stream: Stream,
        /// What the list of live sessions calls the connection.
        name: ConnectionName,
    },
    /// The media provider ends one connection, of which nothing is kept any more.
    DisconnectClient {
        /// The session, as the provider calls it.
        provider_session: ProviderSessionId,
        /// The connection, as the provider calls it.
        connection: String,
    },
    /// A real OvenMediaEngine ends the session of a name.
    TerminateSession {
        /// The stream, as both call it.
        stream: Stream,
        /// The session's name.
        name: ConnectionName,
        /// Which termination of it this is.
        by: String,
    },
}

impl Job {
    /// Whether a job of this age that keeps failing is given up: outbox messages alone are.
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

// Names and ids are in no log.
macro_rules! shown_by_type {
    ($($type:ident),*) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    )*};
}

shown_by_type!(Job, OutboxMessage, Work);

/// How long to wait after so many attempts that failed: a second, then twice as long each time, 5 minutes at most.
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
