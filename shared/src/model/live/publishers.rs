//! Who publishes a stream, and what that makes of its viewers (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    spells::{Spell, Spells},
};
use crate::clock::{Timestamp, seconds};

/// How long a viewer who came before their stream was live is waited for: the media server sends them away, and says
/// nothing of it.
pub const AWAITED: Duration = Duration::from_mins(1);
/// How long it is known who published a stream. A stream may go on for months without a word.
const KEPT: Duration = Duration::from_hours(365 * 24);

/// What was told of a stream's publishers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publishers {
    /// When each of them opened and closed.
    spells: Spells,
    /// Counts its changes.
    #[serde(default)]
    pub revision: u32,
    /// When it is collected.
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

/// What becomes of a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nobody publishes their stream yet.
    Waits,
    /// The stream is live.
    Stays,
    /// Their publisher has left, or another has taken the stream over.
    Leaves,
}

/// What a publisher did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// They opened the stream.
    Opened,
    /// They closed it.
    Closed,
    /// They were refused after it had been written down that they were not.
    Refused,
}

impl Publishers {
    /// What is known with what one of them did; `None` where it was known before.
    #[must_use]
    pub fn with(
        before: Option<&Self>,
        client: &Client,
        did: Publishing,
        at: Timestamp,
        now: Timestamp,
    ) -> Option<Self> {
        let mut spells = before.map(|before| before.spells.clone()).unwrap_or_default();
        let is_new = match did {
            Publishing::Opened => spells.open(client, at),
            Publishing::Closed => spells.close(client, at),
            Publishing::Refused => spells.withdraw(client, at),
        };
        let revision = before.map_or(0, |before| before.revision + 1);
        is_new.then(|| Self { spells, revision, expires_at: now + KEPT })
    }

    /// Whether the stream is live for a viewer who came then.
    #[must_use]
    pub fn is_live_for(&self, came: Timestamp) -> bool {
        self.fate(came) == Fate::Stays
    }

    /// What becomes of a viewer who came then: they stay for as long as the publisher does who was there, or who came
    /// soon enough.
    #[must_use]
    pub fn fate(&self, came: Timestamp) -> Fate {
        let eras = self.spells.eras();
        let is_at = |era: &&Spell| era.from <= came && era.to.is_none_or(|to| came < to);
        let is_soon = |era: &&Spell| came < era.from && era.from <= came + AWAITED;
        match eras.iter().find(is_at).or_else(|| eras.iter().find(is_soon)) {
            None => Fate::Waits,
            Some(Spell { to: None, .. }) => Fate::Stays,
            Some(Spell { to: Some(_), .. }) => Fate::Leaves,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn publishers(told: &[(Publishing, u16, i64)]) -> Publishers {
        let now = Timestamp::from_seconds(1_000);
        let all = told.iter().fold(None, |before: Option<Publishers>, (did, host, at)| {
            let client = Client::new(&format!("192.0.2.{host}"), None, 1, "RTMP", "rtmp://x/app/s".to_owned());
            Publishers::with(before.as_ref(), &client, *did, Timestamp::from_seconds(*at), now).or(before)
        });
        all.unwrap()
    }

    #[rstest]
    #[case::before_anybody(&[(Publishing::Opened, 1, 100)], 39, Fate::Waits)]
    #[case::who_is_waited_for(&[(Publishing::Opened, 1, 100)], 40, Fate::Stays)]
    #[case::while_live(&[(Publishing::Opened, 1, 100)], 500, Fate::Stays)]
    #[case::until_it_closes(&[(Publishing::Opened, 1, 100), (Publishing::Closed, 1, 110)], 105, Fate::Leaves)]
    #[case::after_it_closed(&[(Publishing::Opened, 1, 100), (Publishing::Closed, 1, 110)], 110, Fate::Waits)]
    #[case::in_any_order(&[(Publishing::Closed, 1, 110), (Publishing::Opened, 1, 100)], 105, Fate::Leaves)]
    #[case::taken_over(&[(Publishing::Opened, 1, 100), (Publishing::Opened, 2, 120)], 105, Fate::Leaves)]
    #[case::of_the_second(&[(Publishing::Opened, 1, 100), (Publishing::Opened, 2, 120)], 120, Fate::Stays)]
    #[case::the_first_ones_late_closing(
        &[(Publishing::Opened, 1, 100), (Publishing::Opened, 2, 120), (Publishing::Closed, 1, 130)], 125, Fate::Stays
    )]
    #[case::one_that_reconnects(
        &[(Publishing::Opened, 1, 100), (Publishing::Opened, 1, 120), (Publishing::Closed, 1, 130)], 125, Fate::Stays
    )]
    #[case::another_who_comes_soon(
        &[(Publishing::Opened, 1, 100), (Publishing::Closed, 1, 110), (Publishing::Opened, 2, 150)], 115, Fate::Stays
    )]
    #[case::one_that_was_refused(&[(Publishing::Opened, 1, 100), (Publishing::Refused, 1, 100)], 105, Fate::Waits)]
    fn a_viewer_stays_as_long_as_their_publisher(
        #[case] told: &[(Publishing, u16, i64)],
        #[case] came: i64,
        #[case] fate: Fate,
    ) {
        assert_eq!(publishers(told).fate(Timestamp::from_seconds(came)), fate);
    }
}
