//! Chooses the memory size of a function.

use std::time::Duration;

/// The sizes that are measured, in megabytes.
pub(crate) const SIZES: &[u64] = &[128, 256, 512, 1024, 1769];
/// A user does not notice a warm request of this length.
const QUICK: Duration = Duration::from_millis(25);
/// The same for a request that hashes a password, which is slow on purpose. A user accepts this delay on logging in.
const QUICK_WITH_PASSWORD: Duration = Duration::from_millis(250);

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The most usual request of a function.
    Usual,
    /// The longest request of a function. It is shown, but does not affect the choice.
    Heavy,
    /// A request that hashes a password.
    Password,
    /// A request that no caller waits for.
    Unattended,
    /// A request that is billed for as long as a client listens.
    Stream,
}

/// The size for a request with these times: the cheapest size that answers quickly, or the quickest if none does.
/// Hashing a password costs the same at each size, so the smallest one is chosen for it. `None` if the size does not
/// matter.
pub(crate) fn choose(times: &[(u64, Duration)], kind: Kind) -> Option<u64> {
    let within = |most: Duration| times.iter().filter(move |(_, time)| *time <= most);
    let price = |(size, time): &(u64, Duration)| gigabyte_seconds(*size, *time);
    let chosen = match kind {
        Kind::Heavy => return None,
        Kind::Stream => times.first(),
        Kind::Password => within(QUICK_WITH_PASSWORD).next(),
        Kind::Usual => within(QUICK).min_by(|one, other| price(one).total_cmp(&price(other))),
        Kind::Unattended => times.iter().min_by(|one, other| price(one).total_cmp(&price(other))),
    };
    let nearly_quickest = || {
        let quickest = times.iter().map(|(_, time)| *time).min()?;
        within(quickest * 5 / 4).min_by(|one, other| price(one).total_cmp(&price(other)))
    };
    chosen.or_else(nearly_quickest).map(|(size, _)| *size)
}

/// The billed amount: Lambda rounds up to whole milliseconds.
pub(crate) fn gigabyte_seconds(megabytes: u64, time: Duration) -> f64 {
    let gigabytes = f64::from(u32::try_from(megabytes).unwrap_or(u32::MAX)) / 1024.0;
    gigabytes * (time.as_secs_f64() * 1000.0).ceil() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(milliseconds: [u64; 5]) -> Vec<(u64, Duration)> {
        SIZES.iter().copied().zip(milliseconds.map(Duration::from_millis)).collect()
    }

    #[test]
    fn the_cheapest_size_that_is_quick_enough_is_chosen() {
        assert_eq!(choose(&times([2, 2, 2, 2, 2]), Kind::Usual), Some(128));
        assert_eq!(choose(&times([60, 24, 5, 5, 5]), Kind::Usual), Some(512));
        assert_eq!(choose(&times([900, 400, 200, 100, 60]), Kind::Usual), Some(1769));
        assert_eq!(choose(&times([280, 130, 53, 40, 35]), Kind::Usual), Some(1024));
        assert_eq!(choose(&times([600, 300, 140, 68, 43]), Kind::Password), Some(512));
        assert_eq!(choose(&times([41, 21, 4, 4, 4]), Kind::Unattended), Some(512));
        assert_eq!(choose(&times([41, 21, 4, 4, 4]), Kind::Stream), Some(128));
    }
}
