//! What a media server is still to be told: errands, kept until one of us has run them.

use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::live::Stream;
use crate::{
    clock::Timestamp,
    id::{ConnectionName, ProviderSessionId},
};

/// How long an errand is another's once one has taken it: longer than running it may take.
pub const LEASE: Duration = Duration::from_secs(10);
/// For how long an errand is tried. A media server that was down for so long holds nobody any more.
pub const KEPT: Duration = Duration::from_hours(24);
/// Longest wait before the next attempt.
const WAIT_MAX: Duration = Duration::from_mins(5);

/// What a media server is to be told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Errand {
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
    },
}

impl fmt::Debug for Errand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Errand")
    }
}

/// How long to wait after so many attempts that failed: a second, then twice as long each time, 5 minutes at most.
#[must_use]
pub fn wait_after(attempts: u32) -> Duration {
    let doubled = 1_u32.checked_shl(attempts.saturating_sub(1)).unwrap_or(u32::MAX);
    Duration::from_secs(doubled.into()).min(WAIT_MAX)
}

/// Whether an errand of this age is given up.
#[must_use]
pub fn is_given_up(created_at: Timestamp, now: Timestamp) -> bool {
    created_at + KEPT <= now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_twice_the_one_before_up_to_five_minutes() {
        let waits = [1, 2, 3, 8, 9, 10, 33, u32::MAX].map(|attempts| wait_after(attempts).as_secs());
        assert_eq!(waits, [1, 2, 4, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn an_errand_does_not_show_itself_in_a_debug_print() {
        let errand = Errand::TerminateSession { stream: Stream::of_session(1, 2), name: ConnectionName::random() };
        assert_eq!(format!("{errand:?}"), "Errand");
    }
}
