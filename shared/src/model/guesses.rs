//! Wrong passwords, counted so that nobody finds a right one by trying (`mongooseim.md`).

use std::{net::IpAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::clock::{Timestamp, seconds};

/// For how long wrong passwords are counted from the first of them on.
pub const WINDOW: Duration = Duration::from_mins(10);
/// How many wrong passwords one account may get from one address in that time.
pub const OF_ACCOUNT: u64 = 10;
/// How many an address may send in that time, for whichever accounts: far more than a hall full of people mistypes.
const OF_ADDRESS: u64 = 1_000;

/// Where a request came from; `None` where the connection does not say. Its `Debug` prints the type only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Source(pub Option<IpAddr>);

impl Source {
    /// What is counted as one address: of IPv6, the network that a customer is given.
    #[must_use]
    pub fn counted(self) -> String {
        match self.0.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            None => String::new(),
        }
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Source")
    }
}

/// Wrong passwords within one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Wrong {
    /// How many there were.
    pub count: u64,
    /// When they are forgotten.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}

/// The wrong passwords that a request has to do with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guesses {
    /// For its account, from its address, since the last right one.
    pub of_account: Wrong,
    /// From its address.
    pub of_address: Wrong,
}

impl Guesses {
    /// How long nothing more is tried; `None` where it may be. `also` counts what has just been tried in vain.
    #[must_use]
    pub fn wait(&self, also: bool, now: Timestamp) -> Option<Duration> {
        let over = |wrong: Wrong, most: u64| {
            let left = wrong.expires_at.millis() - now.millis();
            let over = wrong.count >= most + u64::from(also) && left > 0;
            over.then(|| Duration::from_millis(left.unsigned_abs()))
        };
        over(self.of_account, OF_ACCOUNT).max(over(self.of_address, OF_ADDRESS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn wrong(count: u64) -> Wrong {
        Wrong { count, expires_at: NOW + WINDOW }
    }

    #[test]
    fn ten_wrong_passwords_are_one_too_many_until_the_window_ends() {
        let guesses = |count| Guesses { of_account: wrong(count), ..Guesses::default() };
        assert_eq!(guesses(9).wait(false, NOW), None);
        assert_eq!(guesses(10).wait(false, NOW), Some(WINDOW));
        assert_eq!(guesses(10).wait(true, NOW), None);
        assert_eq!(guesses(11).wait(true, NOW), Some(WINDOW));
        assert_eq!(guesses(10).wait(false, NOW + WINDOW), None);
    }

    #[test]
    fn an_address_may_err_a_thousand_times() {
        let guesses = |count| Guesses { of_address: wrong(count), ..Guesses::default() };
        assert_eq!(guesses(999).wait(false, NOW), None);
        assert_eq!(guesses(1_000).wait(false, NOW), Some(WINDOW));
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let source = |text: &str| Source(Some(text.parse().unwrap())).counted();
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), source("2001:db8:1:2::1"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
