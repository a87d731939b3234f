//! Devices and their sessions (`docs/apis/device-sessions.md`).

use std::{collections::HashMap, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, seconds},
    id::DeviceSessionId,
};

/// How long a token that was just replaced still gets its successor: a lost answer or two racing calls are no theft.
pub const REFRESH_GRACE: Duration = Duration::from_secs(10);

/// Longest identifier, in characters.
pub const IDENTIFIER_MAX: usize = 256;

/// Identifiers that are no device's own: what platforms, emulators and faulty clients give in place of one. Without regard
/// to case, and to what groups the characters; and zeros alone, however many, are none either (`docs/apis/access.md`).
const SHARED: [&str; 5] = ["9774d56d682e549c", "unknown", "null", "undefined", "020000000000"];

/// What a device calls itself. Personal data: it has no `Display`, and its `Debug` prints its type only.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 256, example = "device_unique_id_here")]
pub struct Identifier(String);

impl Identifier {
    /// The identifier spelt like this; `None` where it is blank, too long or has control characters, and where many
    /// devices call themselves so: they would share a list of sessions.
    #[must_use]
    pub fn parse(text: String) -> Option<Self> {
        let valid =
            !text.trim().is_empty() && text.chars().count() <= IDENTIFIER_MAX && !text.chars().any(char::is_control);
        (valid && !is_shared(&text)).then_some(Self(text))
    }

    /// The identifier as text, to hash or to show to the device itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Whether many devices call themselves so.
fn is_shared(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !"-:._{}()".contains(*c)).collect();
    let zeros = !plain.is_empty() && plain.bytes().all(|byte| byte == b'0');
    zeros || SHARED.iter().any(|shared| plain.eq_ignore_ascii_case(shared))
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identifier")
    }
}

/// One registration of a device, from its first token to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSession {
    /// When the device registered.
    pub created_at: Timestamp,
    /// When the present token was made: its `iat`.
    pub refreshed_at: Timestamp,
    /// When the present token, and with it the session, ends: its `exp`.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
    /// Counts the session's tokens; the present one carries this number.
    pub generation: u64,
    /// The signing key of the present token, so that it can be made once more, the same to the byte.
    pub kid: String,
}

/// What a refresh comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The presented token is the present one: this state replaces it.
    Rotated(DeviceSession),
    /// It was replaced a moment ago: its successor is given once more.
    Repeated,
    /// It was replaced before: somebody else has it too.
    Stolen,
    /// The session has ended.
    Ended,
}

impl DeviceSession {
    /// A session that begins now and whose tokens live this long.
    #[must_use]
    pub fn begin(now: Timestamp, ttl: Duration, kid: String) -> Self {
        let expires_at = (now + ttl).whole_second();
        Self { created_at: now, refreshed_at: now, expires_at, generation: 1, kid }
    }

    /// Whether the session has not ended by itself; a revoked one is gone from its [`Device`].
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// What becomes of the session when the token with this number is presented for refresh at the instant that `next`,
    /// the state of a session begun then, begins.
    #[must_use]
    pub fn refresh(&self, presented: u64, next: &Self) -> Refresh {
        let now = next.refreshed_at;
        if !self.is_live(now) {
            Refresh::Ended
        } else if presented == self.generation {
            let (created_at, generation) = (self.created_at, self.generation + 1);
            Refresh::Rotated(Self { created_at, generation, ..next.clone() })
        } else if presented + 1 == self.generation && now <= self.refreshed_at + REFRESH_GRACE {
            Refresh::Repeated
        } else {
            Refresh::Stolen
        }
    }
}

/// A device: its identifier and its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What it calls itself.
    pub identifier: Identifier,
    /// Its sessions; those that have ended by themselves may still be among them.
    pub sessions: HashMap<DeviceSessionId, DeviceSession>,
}

impl Device {
    /// The live session whose present token is its `generation`th.
    #[must_use]
    pub fn session(&self, id: &DeviceSessionId, generation: u64, now: Timestamp) -> Option<&DeviceSession> {
        self.sessions.get(id).filter(|session| session.generation == generation && session.is_live(now))
    }

    /// The live sessions, oldest first.
    #[must_use]
    pub fn live_sessions(&self, now: Timestamp) -> Vec<(&DeviceSessionId, &DeviceSession)> {
        let mut live: Vec<_> = self.sessions.iter().filter(|(_, session)| session.is_live(now)).collect();
        live.sort_by_key(|(id, session)| (session.created_at, *id));
        live
    }

    /// The sessions that have to go so that one more fits under `max`: the ended ones, then the oldest.
    #[must_use]
    pub fn to_evict(&self, max: usize, now: Timestamp) -> Vec<&DeviceSessionId> {
        let live = self.live_sessions(now);
        let surplus = (live.len() + 1).saturating_sub(max);
        let ended = self.sessions.iter().filter(|(_, session)| !session.is_live(now)).map(|(id, _)| id);
        ended.chain(live.into_iter().take(surplus).map(|(id, _)| id)).collect()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
    const DAY: Duration = Duration::from_hours(24);

    fn session() -> DeviceSession {
        DeviceSession { generation: 5, ..DeviceSession::begin(NOW, DAY, "k1".to_owned()) }
    }

    #[rstest]
    #[case::the_predecessor_at_once(4, 0, Refresh::Repeated)]
    #[case::the_predecessor_ten_seconds_later(4, 10_000, Refresh::Repeated)]
    #[case::the_predecessor_later_still(4, 10_001, Refresh::Stolen)]
    #[case::an_older_one(3, 0, Refresh::Stolen)]
    #[case::one_never_given(6, 0, Refresh::Stolen)]
    #[case::after_the_end(5, 86_400_000, Refresh::Ended)]
    fn a_refresh_looks_at_which_token_comes_and_when(
        #[case] presented: u64,
        #[case] millis: u64,
        #[case] outcome: Refresh,
    ) {
        let next = DeviceSession::begin(NOW + Duration::from_millis(millis), DAY, "k1".to_owned());
        assert_eq!(session().refresh(presented, &next), outcome);
    }

    #[rstest]
    #[case::no_device("0")]
    #[case::no_imei("000000000000000")]
    #[case::no_uuid("00000000-0000-0000-0000-000000000000")]
    #[case::no_uuid_in_braces("{00000000-0000-0000-0000-000000000000}")]
    #[case::no_address("00:00:00:00:00:00")]
    #[case::an_android_of_a_faulty_make("9774D56D682E549C")]
    #[case::an_android_that_may_not_know_its_address("02:00:00:00:00:00")]
    #[case::an_android_that_may_not_know_its_serial_number("Unknown")]
    #[case::a_client_without_one("null")]
    #[case::a_client_of_another_language_without_one(" undefined ")]
    fn what_many_devices_call_themselves_is_no_identifier(#[case] text: &str) {
        assert_eq!(Identifier::parse(text.to_owned()), None);
    }

    #[rstest]
    #[case("00000000-0000-0000-0000-000000000001")]
    #[case("1")]
    #[case("unknown phone")]
    #[case("nullable")]
    #[case("---")]
    fn what_only_looks_like_it_is_one(#[case] text: &str) {
        assert!(Identifier::parse(text.to_owned()).is_some());
    }

    #[test]
    fn the_present_token_is_replaced_and_the_session_lives_on() {
        let later = NOW + DAY / 2;
        let Refresh::Rotated(next) = session().refresh(5, &DeviceSession::begin(later, DAY, "k2".to_owned())) else {
            panic!("the present token was refused");
        };
        assert_eq!((next.created_at, next.refreshed_at, next.generation), (NOW, later, 6));
        assert_eq!((next.expires_at, next.kid.as_str()), (later + DAY, "k2"));
    }

    #[test]
    fn ended_sessions_go_before_the_oldest_live_one() {
        let begin = |ago: u64, ttl: u64| {
            let at = Timestamp::from_millis(NOW.millis() - i64::try_from(ago).unwrap() * 1000);
            DeviceSession::begin(at, Duration::from_secs(ttl), "k1".to_owned())
        };
        let [ended, oldest, newest] = std::array::from_fn(|_| DeviceSessionId::random());
        let device = Device {
            identifier: Identifier::parse("phone".to_owned()).unwrap(),
            sessions: [(ended.clone(), begin(9, 5)), (oldest.clone(), begin(8, 60)), (newest, begin(1, 60))].into(),
        };
        assert_eq!(device.to_evict(3, NOW), [&ended]);
        assert_eq!(device.to_evict(2, NOW), [&ended, &oldest]);
    }
}
