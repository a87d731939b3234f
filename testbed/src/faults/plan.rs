//! Which requests meet a fault, and which one.

use std::time::Duration;

/// What can go wrong between a service and its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Refused for coming too fast, with each of the codes that `DynamoDB` has for it. Nothing is done.
    Throttled,
    /// Refused for meeting a transaction on the same items, where it writes; reads are answered. Nothing is done.
    Conflicted,
    /// Of a batch only a part is done, half of it and at least one; the rest is given back. Others are answered.
    Unprocessed,
    /// `InternalServerError`, or what else a fault of the store is called, with nothing done.
    Broken,
    /// The same, although all was done.
    BrokenAfter,
    /// 503 of somebody in between, with a page for people. Nothing is done.
    Unavailable,
    /// Taken, never done and never answered.
    Silent,
    /// Done and never answered.
    SilentAfter,
    /// The connection is reset with the request read and not done.
    Reset,
    /// The connection is reset with the request done.
    ResetAfter,
    /// The connection is reset in the middle of the answer.
    CutOff,
    /// Done, and answered after so long.
    Slow(Duration),
}

impl Fault {
    /// Each of them; the slow answers once within and once beyond the patience of who asks.
    pub const ALL: [Self; 13] = [
        Self::Throttled,
        Self::Conflicted,
        Self::Unprocessed,
        Self::Broken,
        Self::BrokenAfter,
        Self::Unavailable,
        Self::Silent,
        Self::SilentAfter,
        Self::Reset,
        Self::ResetAfter,
        Self::CutOff,
        Self::Slow(Duration::from_millis(200)),
        Self::Slow(Duration::from_secs(2)),
    ];
}

/// Which requests meet which faults: by chance, the same with every run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Those there are; none means that nothing goes wrong.
    pub faults: Vec<Fault>,
    /// How many of a thousand requests meet one.
    pub per_mille: u64,
    /// What the chance begins with.
    pub seed: u64,
}

impl Plan {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { faults: Vec::new(), per_mille: 0, seed: 0 }
    }

    /// Every request meets this fault.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self { faults: vec![fault], per_mille: 1000, seed: 0 }
    }

    /// So many of a thousand requests meet one of all the faults.
    #[must_use]
    pub fn some(per_mille: u64, seed: u64) -> Self {
        Self { faults: Fault::ALL.to_vec(), per_mille, seed }
    }

    /// What the request of this number meets, and a number for whatever else is left to chance.
    pub(super) fn fault_of(&self, request: u64) -> (Option<Fault>, u64) {
        let chance = mixed(self.seed.wrapping_add(request.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let which = usize::try_from(chance >> 40).unwrap_or(0);
        let fault =
            (chance % 1000 < self.per_mille && !self.faults.is_empty()).then(|| self.faults[which % self.faults.len()]);
        (fault, mixed(chance))
    }
}

/// `SplitMix64`'s mixing of a number.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_requests_meet_a_fault_as_are_to_and_each_fault_is_met() {
        let plan = Plan::some(100, 7);
        let met: Vec<_> = (0..10_000).filter_map(|request| plan.fault_of(request).0).collect();
        assert!((900..1100).contains(&met.len()), "{}", met.len());
        assert!(Fault::ALL.iter().all(|fault| met.contains(fault)));
        let again: Vec<_> = (0..10_000).filter_map(|request| plan.fault_of(request).0).collect();
        assert_eq!(met, again);
    }

    #[test]
    fn none_is_none_and_always_is_always() {
        assert!((0..1000).all(|request| Plan::none().fault_of(request).0.is_none()));
        assert!((0..1000).all(|request| Plan::always(Fault::Reset).fault_of(request).0 == Some(Fault::Reset)));
    }
}
