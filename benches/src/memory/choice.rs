//! Which size a function is given.

use std::time::Duration;

/// The sizes that are measured, in megabytes.
pub(crate) const SIZES: &[u64] = &[128, 256, 512, 1024, 1769];
/// Who waits for a warm request notices nothing yet.
const QUICK: Duration = Duration::from_millis(25);
/// The same where a password is hashed, which is meant to take long: nobody is kept from typing on.
const QUICK_WITH_PASSWORD: Duration = Duration::from_millis(250);

/// What a request is to a function.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What it is mostly asked.
    Usual,
    /// What takes it longest: it is shown, and chooses nothing.
    Heavy,
    /// What hashes a password.
    Password,
    /// What nobody waits for.
    Unattended,
    /// What is billed for as long as somebody listens.
    Stream,
}

/// The size for a request that takes so long at each: the cheapest that answers quickly, or the quickest where none does.
/// Hashing a password costs the same at each: for it, the smallest. `None` where it does not matter.
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
    chosen.or_else(|| times.iter().min_by_key(|(_, time)| *time)).map(|(size, _)| *size)
}

/// What Lambda bills: whole milliseconds.
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
    fn the_cheapest_quick_size_is_chosen() {
        assert_eq!(choose(&times([2, 2, 2, 2, 2]), Kind::Usual), Some(128));
        assert_eq!(choose(&times([60, 24, 5, 5, 5]), Kind::Usual), Some(512));
        assert_eq!(choose(&times([900, 400, 200, 100, 60]), Kind::Usual), Some(1769));
        assert_eq!(choose(&times([600, 300, 140, 68, 43]), Kind::Password), Some(512));
        assert_eq!(choose(&times([41, 21, 4, 4, 4]), Kind::Unattended), Some(512));
        assert_eq!(choose(&times([41, 21, 4, 4, 4]), Kind::Stream), Some(128));
    }
}
