//! The publishers of a stream, and their effect on its viewers (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    client::Client,
    spells::{Spell, Spells},
};
use crate::clock::{Timestamp, seconds};

/// How long a viewer who came before the stream was live may stay. The media server sends such viewers away without a
/// webhook.
pub const AWAITED: Duration = Duration::from_mins(1);
/// How long a stream's publishers are kept after the last report about them. A stream may go on for months without one.
const KEPT: Duration = Duration::from_hours(365 * 24);

/// The publishers of a stream, as media servers reported them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Publishers {
    /// When each of them opened and closed the stream.
    spells: Spells,
    /// The number of its changes.
    #[serde(default)]
    pub revision: u32,
    /// When the item expires.
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

/// The effect of a stream's publishers on a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The viewer waits, because nobody publishes the stream yet.
    Waits,
    /// The viewer stays, because the stream is live.
    Stays,
    /// The viewer leaves, because the publisher has left or another one has taken the stream over.
    Leaves,
}

/// An event of a publisher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Publishing {
    /// The publisher opened the stream.
    Opened,
    /// The publisher closed the stream.
    Closed,
    /// The publisher was refused. Its opening may have been written before.
    Refused,
}

impl Publishers {
    /// The publishers after this event. `None` if it was recorded before.
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

    /// Whether the stream is live for a viewer who came at this time.
    #[must_use]
    pub fn is_live_for(&self, came: Timestamp) -> bool {
        self.fate(came) == Fate::Stays
    }

    /// The effect on a viewer who came at this time. The viewer stays as long as the publisher who was there, or who
    /// came within [`AWAITED`] after.
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
