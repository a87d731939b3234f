//! Terminating: at once, or once a media server has done it (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EndReason, EndedBy, LiveConnection, Source, StreamRole};
use crate::clock::Timestamp;

/// A media server is having somebody cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Tells this termination from others of the same name.
    pub by: String,
    /// Who terminated it.
    pub who: EndedBy,
    /// Whether a job tells the media server, which may still have to be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_job: bool,
}

impl LiveConnection {
    /// This connection, ended by somebody, now where it has not ended yet; nobody is let in under its name for `hold`.
    #[must_use]
    pub fn terminated(self, now: Timestamp, hold: Duration, by: &str, who: EndedBy) -> Self {
        let banned = self.banned(now, hold, by);
        let at = banned.ended.as_ref().map_or(now, |end| end.at);
        banned.ended(at, EndReason::TERMINATED, who)
    }

    /// This connection, under whose name nobody is let in for `hold`, and for as long as it was told that it may stay.
    fn banned(mut self, now: Timestamp, hold: Duration, by: &str) -> Self {
        self.terminated_by = Some(by.to_owned());
        let lifetime = Some(self.ends_at).filter(|_| self.cuts);
        let until = [Some(now + hold), lifetime, self.held_until].into_iter().flatten().max();
        self.held_until = until;
        // So that its opening, repeated after the hold, does not let it in again.
        self.barred = self.barred.max(self.opened_at).max(self.spells.last_opening());
        self
    }

    /// This connection, about to be cut off by its media server. Whoever is having that done already stays it.
    #[must_use]
    pub fn ending(self, now: Timestamp, hold: Duration, by: &str, who: EndedBy) -> Self {
        let mut banned = self.banned(now, hold, by);
        banned.ending.get_or_insert_with(|| Ending { by: by.to_owned(), who, has_job: false });
        banned.expires_at = banned.expires_at.max(banned.held_until.unwrap_or(now));
        banned
    }

    /// Whether it is this termination that is under way.
    #[must_use]
    pub fn is_ending_by(&self, by: &str) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.by == by)
    }

    /// This connection, cut off by its media server.
    #[must_use]
    pub fn cut_off(self, now: Timestamp) -> Self {
        let who = self.ending.as_ref().map_or(EndedBy::OPERATOR, |ending| ending.who);
        self.ended(now, EndReason::TERMINATED, who)
    }

    /// This connection, which its media server cannot cut off: it stays until the server does so by itself, or as if
    /// nobody had asked for it.
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
