//! What somebody typed in that was wrong, counted so that nobody finds what is right by trying (`docs/apis/access.md`).

use std::{net::IpAddr, time::Duration};

use crate::clock::Timestamp;

/// For how long wrong values are counted from the first of them on.
pub const WINDOW: Duration = Duration::from_mins(10);
/// How many wrong passwords one account may get from one address in that time, without a right one in between.
pub const OF_PAIR: usize = 10;
/// How many wrong passwords one account may get from all addresses.
pub const OF_ACCOUNT: usize = 100;
/// For how many accounts one address may send wrong passwords.
pub const OF_ADDRESS: usize = 100;
/// How many wrong login tokens one address may send, were nobody to join from there.
pub const OF_JOINER: usize = 100;
/// How many more it may send for each login token that joined from there.
const PER_JOINED: usize = 5;
/// How many of those are looked at: what is counted has to fit into an item.
pub const JOINED_MAX: usize = 1_000;
/// For how long a login token that joined counts.
pub const JOINED_FOR: Duration = Duration::from_hours(1);
/// For how long an address that sent the right password of an account is known for it.
pub const RIGHT_FOR: Duration = Duration::from_hours(24);
/// How long before its end that is written down anew: whoever calls all day long is known all the time.
const RENEWED_BEFORE: Duration = Duration::from_hours(12);

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

/// Different wrong values within one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many there were.
    pub count: usize,
    /// When they are forgotten.
    pub until: Timestamp,
}

impl Wrong {
    /// Whether there were any that are not forgotten.
    #[must_use]
    pub fn any(self, now: Timestamp) -> bool {
        self.count > 0 && now < self.until
    }

    /// How long nothing more is tried where so many are enough; `None` where it may be.
    #[must_use]
    pub fn wait(self, enough: usize, now: Timestamp) -> Option<Duration> {
        (self.count >= enough && now < self.until).then(|| self.until.since(now))
    }
}

/// The wrong passwords that a request has to do with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordGuesses {
    /// For its account, from its address, since the last right one.
    pub of_pair: Wrong,
    /// For its account.
    pub of_account: Wrong,
    /// The accounts that its address sent wrong ones for.
    pub of_address: Wrong,
    /// Until when its address is known to have sent a right one for its account.
    pub right_until: Timestamp,
}

impl PasswordGuesses {
    /// How long no password of this account is looked at from this address; `None` where the next one is.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let unknown = |wait: Option<Duration>| wait.filter(|_| !self.is_known(now));
        let of_pair = self.of_pair.wait(OF_PAIR, now);
        let of_account = unknown(self.of_account.wait(OF_ACCOUNT, now));
        of_pair.max(of_account).max(unknown(self.of_address.wait(OF_ADDRESS, now)))
    }

    /// Whether the address sent a right password for the account lately: what others do does not keep it out.
    #[must_use]
    pub fn is_known(&self, now: Timestamp) -> bool {
        now < self.right_until
    }

    /// Whether a right password leaves something to be written down.
    #[must_use]
    pub fn notes_right(&self, now: Timestamp) -> bool {
        self.of_pair.any(now) || self.right_until <= now + RENEWED_BEFORE
    }
}

/// The wrong login tokens that came from an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenGuesses {
    /// The different ones.
    pub wrong: Wrong,
    /// How many different login tokens joined from there lately. Not asked for while it makes no difference.
    pub joined: usize,
}

impl TokenGuesses {
    /// How many wrong ones may come from there.
    #[must_use]
    pub fn limit(&self) -> usize {
        OF_JOINER + PER_JOINED * self.joined.min(JOINED_MAX)
    }

    /// How long no login token is looked at from there; `None` where the next one is.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        self.wrong.wait(self.limit(), now)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn wrong(count: usize) -> Wrong {
        Wrong { count, until: NOW + WINDOW }
    }

    #[rstest]
    #[case::nothing(0, 0, 0, false)]
    #[case::just_under(9, 99, 99, false)]
    #[case::of_the_pair(10, 0, 0, true)]
    #[case::of_the_account(0, 100, 0, true)]
    #[case::of_the_address(0, 0, 100, true)]
    fn so_many_are_enough(#[case] pair: usize, #[case] account: usize, #[case] address: usize, #[case] shut: bool) {
        let guesses = PasswordGuesses {
            of_pair: wrong(pair),
            of_account: wrong(account),
            of_address: wrong(address),
            right_until: NOW,
        };
        assert_eq!(guesses.wait(NOW).is_some(), shut);
        assert_eq!(guesses.wait(NOW + WINDOW), None);
        let known = PasswordGuesses { right_until: NOW + RIGHT_FOR, ..guesses };
        assert_eq!(known.wait(NOW).is_some(), pair >= OF_PAIR);
    }

    #[test]
    fn a_right_password_is_noted_once_a_day_and_where_there_were_wrong_ones() {
        let noted = |right_until, of_pair| PasswordGuesses { of_pair, right_until, ..Default::default() };
        assert!(noted(Timestamp::default(), Wrong::default()).notes_right(NOW));
        assert!(!noted(NOW + RIGHT_FOR, Wrong::default()).notes_right(NOW));
        assert!(noted(NOW + RIGHT_FOR, wrong(1)).notes_right(NOW));
        assert!(!noted(NOW + RIGHT_FOR, wrong(1)).notes_right(NOW + WINDOW));
        assert!(noted(NOW + RIGHT_FOR, Wrong::default()).notes_right(NOW + RENEWED_BEFORE));
    }

    #[test]
    fn whoever_lets_many_join_may_err_more_often() {
        let guesses = |count, joined| TokenGuesses { wrong: wrong(count), joined };
        assert_eq!(guesses(99, 0).wait(NOW), None);
        assert_eq!(guesses(100, 0).wait(NOW), Some(WINDOW));
        assert_eq!(guesses(109, 2).wait(NOW), None);
        assert_eq!(guesses(110, 2).wait(NOW), Some(WINDOW));
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let source = |text: &str| Source(Some(text.parse().unwrap())).counted();
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), source("2001:db8:1:2::1"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
