//! Instants and the clock. The clock is passed in, so that tests can stop it.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use time::{
    OffsetDateTime,
    format_description::well_known::{Rfc2822, Rfc3339},
};

/// An instant, in milliseconds since the Unix epoch. The default is the epoch itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(value_type = i64, example = 1_700_000_000_000_i64)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that many milliseconds after the Unix epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The instant that many seconds after the Unix epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The instant of a text in the form of RFC 3339. An offset without a colon is accepted too. `None` if the text is
    /// no instant.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let read = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();
        let parsed = read(text).or_else(|| {
            // Some versions of media servers write `+0000`.
            let (rest, minutes) = text.split_at_checked(text.len().checked_sub(2)?)?;
            read(&format!("{rest}:{minutes}"))
        });
        let nanos = parsed?.unix_timestamp_nanos();
        i64::try_from(nanos / 1_000_000).ok().map(Self)
    }

    /// The instant of an HTTP date (RFC 9110, 5.6.7), in the form that servers write. `None` if the text is no such
    /// date.
    #[must_use]
    pub fn parse_http(text: &str) -> Option<Self> {
        // RFC 2822 differs only in how it writes the zone.
        let text = format!("{} +0000", text.strip_suffix(" GMT")?);
        OffsetDateTime::parse(&text, &Rfc2822).ok().map(|at| Self::from_seconds(at.unix_timestamp()))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The next instant.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The time from an earlier instant to this one. Zero if the other instant is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0).try_into().unwrap_or_default())
    }

    /// This instant, rounded down to a second, because `DynamoDB`'s TTL and JWTs hold whole seconds.
    #[must_use]
    pub const fn whole_second(self) -> Self {
        Self::from_seconds(self.seconds())
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with the fraction of a second where there is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok());
        f.write_str(text.as_deref().unwrap_or("out of range"))
    }
}

/// An expiry in the form of `DynamoDB`'s TTL and of JWTs: whole seconds.
pub mod seconds {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Timestamp;

    /// Writes whole seconds since the Unix epoch.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        at.seconds().serialize(serializer)
    }

    /// Reads whole seconds since the Unix epoch.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(deserializer).map(Timestamp::from_seconds)
    }
}

/// Whether there is time left. Long work calls it between its steps.
pub type InTime<'a> = &'a (dyn Fn() -> bool + Send + Sync);

/// The source of the time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands still until it is told to [`advance`](Self::advance).
    #[must_use]
    pub fn stopped_at(now: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now.0))))
    }

    /// Moves a stopped clock on. The machine's clock ignores this.
    pub fn advance(&self, by: Duration) {
        if let Self(Some(now)) = self {
            now.store((Timestamp(now.load(Ordering::SeqCst)) + by).0, Ordering::SeqCst);
        }
    }

    /// The present instant.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the time")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Some(stopped) => Timestamp(stopped.load(Ordering::SeqCst)),
            None => Timestamp::from_millis(0) + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_as_rfc_3339() {
        assert_eq!(Timestamp::from_seconds(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
        assert_eq!(Timestamp::from_millis(1_700_000_000_120).to_string(), "2023-11-14T22:13:20.12Z");
    }

    #[test]
    fn an_instant_is_read_with_and_without_a_colon_in_its_offset() {
        for text in ["2023-11-14T22:13:20.120+00:00", "2023-11-14T22:13:20.12+0000", "2023-11-15T00:13:20.120999+0200"]
        {
            assert_eq!(Timestamp::parse(text), Some(Timestamp::from_millis(1_700_000_000_120)), "{text}");
        }
        for text in ["", "0", "é", "now", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_to_live_is_never_longer_than_asked_for() {
        assert_eq!(Timestamp::from_millis(1999).whole_second(), Timestamp::from_seconds(1));
    }
}
