//! Devices and their sessions (`docs/apis/device-sessions.md`).

use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    clock::{Timestamp, seconds},
    id::DeviceSessionId,
};

/// How long after its replacement a token still gets its successor. Within that time, a lost answer or two concurrent
/// requests explain why it comes again.
pub const REFRESH_GRACE: Duration = Duration::from_secs(10);

/// The longest identifier, in characters.
pub const IDENTIFIER_MAX: usize = 256;

/// Texts that platforms, emulators and faulty clients send in place of an identifier. They are compared without regard
/// to case and to separators. A text of zeros alone is refused too (`docs/apis/access.md`).
const SHARED: [&str; 5] = ["9774d56d682e549c", "unknown", "null", "undefined", "020000000000"];

/// The identifier that a device gives itself. It is personal data.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 256, example = "device_unique_id_here")]
pub struct Identifier(String);

impl Identifier {
    /// The identifier with this text. `None` if it is blank, longer than [`IDENTIFIER_MAX`], or has control characters.
    /// Also `None` if many devices send the same text, because they would share one list of sessions.
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

/// Whether many devices send this text.
fn is_shared(text: &str) -> bool {
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && !"-:._{}()".contains(*c)).collect();
    let zeros = !plain.is_empty() && plain.bytes().all(|byte| byte == b'0');
    zeros || SHARED.iter().any(|shared| plain.eq_ignore_ascii_case(shared))
}

crate::opaque!(Identifier);

/// A session of a device, from its registration to its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceSession {
    /// When the device registered.
    pub created_at: Timestamp,
    /// When the present token was made; the token's `iat`.
    pub refreshed_at: Timestamp,
    /// When the present token and the session end; the token's `exp`.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
    /// The number of tokens that the session has had. The present token carries this number.
    pub generation: u64,
    /// The id of the key that signed the present token. The same key makes the same token again, to the byte.
    pub kid: String,
}

/// The outcome of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refresh {
    /// The presented token is the present one. The session changes to this state, which has the next token.
    Rotated(DeviceSession),
    /// The presented token was replaced within the grace period. Its successor is given again.
    Repeated,
    /// The presented token was replaced before the grace period, so somebody else has it too.
    Stolen,
    /// The session has ended.
    Ended,
}

impl DeviceSession {
    /// A session that begins now. Its tokens live for `ttl`.
    #[must_use]
    pub fn begin(now: Timestamp, ttl: Duration, kid: String) -> Self {
        let expires_at = (now + ttl).whole_second();
        Self { created_at: now, refreshed_at: now, expires_at, generation: 1, kid }
    }

    /// Whether the session has not expired. A revoked session is not in its [`Device`] any more.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The outcome when the token with this number is presented for refresh. `next` is the state of a session that
    /// would begin at that instant.
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
    /// The identifier that the device gives itself.
    pub identifier: Identifier,
    /// Its sessions. Expired ones may still be among them.
    pub sessions: HashMap<DeviceSessionId, DeviceSession>,
}

impl Device {
    /// The live session whose present token has this number.
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

    /// The sessions that have to go so that one more fits under `max`: the expired ones, then the oldest.
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
