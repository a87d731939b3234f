//! Terminations, which take effect at once or when a media server has disconnected the client
//! (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EndReason, EndedBy, LiveConnection, Source, StreamRole};
use crate::clock::Timestamp;

/// A termination that waits for a media server to disconnect the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The id of this termination, which distinguishes it from others under the same name.
    pub by: String,
    /// Who terminated it.
    pub who: EndedBy,
    /// Whether a job tells the media server.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_job: bool,
}

impl LiveConnection {
    /// This connection, terminated now if it has not ended yet. Nobody is admitted under its name for `hold`.
    #[must_use]
    pub fn terminated(self, now: Timestamp, hold: Duration, by: &str, who: EndedBy) -> Self {
        let banned = self.banned(now, hold, by);
        let at = banned.ended.as_ref().map_or(now, |end| end.at);
        banned.ended(at, EndReason::TERMINATED, who)
    }

    /// This connection, with its name held for `hold`, and at least as long as the client was told that it may stay.
    fn banned(mut self, now: Timestamp, hold: Duration, by: &str) -> Self {
        self.terminated_by = Some(by.to_owned());
        let lifetime = Some(self.ends_at).filter(|_| self.cuts);
        let until = [Some(now + hold), lifetime, self.held_until, self.room_hold(now)].into_iter().flatten().max();
        self.held_until = until;
        // A repetition of its opening after the hold must not let it in again.
        self.barred = self.barred.max(self.opened_at).max(self.spells.last_opening());
        self
    }

    /// This connection, waiting for its media server to disconnect the client. A termination that waits already is
    /// kept.
    #[must_use]
    pub fn ending(self, now: Timestamp, hold: Duration, by: &str, who: EndedBy) -> Self {
        let mut banned = self.banned(now, hold, by);
        banned.ending.get_or_insert_with(|| Ending { by: by.to_owned(), who, has_job: false });
        banned.expires_at = banned.expires_at.max(banned.held_until.unwrap_or(now));
        banned
    }

    /// Whether the termination with this id is the one that waits.
    #[must_use]
    pub fn is_ending_by(&self, by: &str) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.by == by)
    }

    /// This connection, after its media server disconnected the client.
    #[must_use]
    pub fn cut_off(self, now: Timestamp) -> Self {
        let who = self.ending.as_ref().map_or(EndedBy::OPERATOR, |ending| ending.who);
        self.ended(now, EndReason::TERMINATED, who)
    }

    /// This connection, whose media server cannot disconnect the client. If the media server disconnects the client by
    /// itself when the right ends, the termination waits until then. Otherwise the termination is dropped.
    #[must_use]
    pub fn not_cut_off(mut self) -> Self {
        self.ending = self.ending.filter(|_| self.cuts).map(|ending| Ending { has_job: false, ..ending });
        self
    }

    /// Whether it is a media server's viewer.
    #[must_use]
    pub fn is_viewer(&self) -> bool {
        matches!(self.source, Source::Admission(_)) && self.role != StreamRole::Publisher
    }
}
