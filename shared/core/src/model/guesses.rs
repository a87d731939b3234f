//! The limits on wrong passwords and wrong login tokens, which keep callers from finding a right one by trying
//! (`docs/apis/access.md`).

use std::{net::IpAddr, time::Duration};

use crate::clock::Timestamp;

/// How long wrong values are counted, from the first of them on.
pub const WINDOW: Duration = Duration::from_mins(10);
/// How many wrong passwords for one account one address may send within a window, without a right one in between.
pub const OF_PAIR: usize = 10;
/// How many wrong passwords for one account all addresses together may send within a window.
pub const OF_ACCOUNT: usize = 100;
/// For how many accounts one address may send wrong passwords within a window.
pub const OF_ADDRESS: usize = 100;
/// How many wrong login tokens one address may send within a window if no login token joins from there.
pub const OF_JOINER: usize = 100;
/// How many more wrong login tokens it may send for each login token that joined from there.
const PER_JOINED: usize = 5;
/// The largest number of joined login tokens that count. The wrong values that they allow have to fit into one item.
pub const JOINED_MAX: usize = 1_000;
/// How long a login token counts as joined.
pub const JOINED_FOR: Duration = Duration::from_hours(1);
/// How long an address counts as known to an account whose right password it sent.
pub const RIGHT_FOR: Duration = Duration::from_hours(24);
/// How long before the end of [`RIGHT_FOR`] a right password extends it. So an address that sends requests all day
/// stays known.
const RENEWED_BEFORE: Duration = Duration::from_hours(12);

/// The address that a request came from. `None` if the connection does not have one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SourceAddress(pub Option<IpAddr>);

impl SourceAddress {
    /// The address under which wrong values are counted. For IPv6 it is the /64 network, which a provider gives to one
    /// customer.
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

crate::opaque!(SourceAddress);

/// The number of different wrong values in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wrong {
    /// How many there are.
    pub count: usize,
    /// When the window ends.
    pub until: Timestamp,
}

impl Wrong {
    /// Whether there are any in a window that has not ended.
    #[must_use]
    pub fn any(self, now: Timestamp) -> bool {
        self.count > 0 && now < self.until
    }

    /// How long further attempts are refused: until the end of the window, if it has `enough` wrong values. `None` if
    /// they are not refused.
    #[must_use]
    pub fn wait(self, enough: usize, now: Timestamp) -> Option<Duration> {
        (self.count >= enough && now < self.until).then(|| self.until.since(now))
    }
}

/// The wrong passwords that count against a request with a password.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PasswordGuesses {
    /// Those for the account from the address of the request, since the last right one.
    pub of_pair: Wrong,
    /// Those for the account from all addresses.
    pub of_account: Wrong,
    /// The accounts for which the address sent wrong ones.
    pub of_address: Wrong,
    /// Until when the address counts as known to the account.
    pub right_until: Timestamp,
}

impl PasswordGuesses {
    /// How long passwords for the account from the address are refused. `None` if they are not.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let unknown = |wait: Option<Duration>| wait.filter(|_| !self.is_known(now));
        let of_pair = self.of_pair.wait(OF_PAIR, now);
        let of_account = unknown(self.of_account.wait(OF_ACCOUNT, now));
        of_pair.max(of_account).max(unknown(self.of_address.wait(OF_ADDRESS, now)))
    }

    /// Whether the address is known to the account. Then wrong passwords from other addresses do not lock it out.
    #[must_use]
    pub fn is_known(&self, now: Timestamp) -> bool {
        now < self.right_until
    }

    /// Whether a right password changes the counters.
    #[must_use]
    pub fn notes_right(&self, now: Timestamp) -> bool {
        self.of_pair.any(now) || self.right_until <= now + RENEWED_BEFORE
    }
}

/// The wrong login tokens that came from an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenGuesses {
    /// The different wrong ones.
    pub wrong: Wrong,
    /// How many different login tokens joined from there within [`JOINED_FOR`]. It is read only when it changes the
    /// limit.
    pub joined: usize,
}

impl TokenGuesses {
    /// How many wrong login tokens may come from there.
    #[must_use]
    pub fn limit(&self) -> usize {
        OF_JOINER + PER_JOINED * self.joined.min(JOINED_MAX)
    }

    /// How long login tokens from there are refused. `None` if they are not.
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
    fn an_address_from_which_many_join_may_send_more_wrong_login_tokens() {
        let guesses = |count, joined| TokenGuesses { wrong: wrong(count), joined };
        assert_eq!(guesses(99, 0).wait(NOW), None);
        assert_eq!(guesses(100, 0).wait(NOW), Some(WINDOW));
        assert_eq!(guesses(109, 2).wait(NOW), None);
        assert_eq!(guesses(110, 2).wait(NOW), Some(WINDOW));
    }

    #[test]
    fn an_address_of_ipv6_is_its_network() {
        let source = |text: &str| SourceAddress(Some(text.parse().unwrap())).counted();
        assert_eq!(source("2001:db8:1:2:3:4:5:6"), source("2001:db8:1:2::1"));
        assert_ne!(source("2001:db8:1:2::1"), source("2001:db8:1:3::1"));
        assert_eq!(source("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
