//! Which requests meet a fault, and which fault.

use std::time::Duration;

/// The possible faults between a service and its store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is throttled, with each of `DynamoDB`'s codes for it. Nothing is done.
    Throttled,
    /// A write is refused because of a conflict with a transaction on its items. Reads are answered. Nothing is done.
    Conflicted,
    /// Half of a batch is done, at least one item, and the rest is returned as unprocessed. Other requests are
    /// answered.
    Unprocessed,
    /// `InternalServerError`, or another error of the store. Nothing is done.
    Broken,
    /// The same error, although the request was done.
    BrokenAfter,
    /// A 503 from a proxy in between, with a page for people. Nothing is done.
    Unavailable,
    /// The request is accepted, but never done and never answered.
    Silent,
    /// The request is done but never answered.
    SilentAfter,
    /// The connection is reset. The request was read but not done.
    Reset,
    /// The connection is reset. The request was done.
    ResetAfter,
    /// The connection is reset in the middle of the answer.
    CutOff,
    /// The request is done, and answered after this time.
    Slow(Duration),
}

impl Fault {
    /// All faults. One slow answer is within the client's timeout, the other beyond it.
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

/// Which requests meet which faults. The choice is random, but the same in every run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The possible faults. Without any, nothing fails.
    pub faults: Vec<Fault>,
    /// How many of a thousand requests meet a fault.
    pub per_mille: u64,
    /// The seed of the random choice.
    pub seed: u64,
}

impl Plan {
    /// No request meets a fault.
    #[must_use]
    pub const fn none() -> Self {
        Self { faults: Vec::new(), per_mille: 0, seed: 0 }
    }

    /// Every request meets this fault.
    #[must_use]
    pub fn always(fault: Fault) -> Self {
        Self { faults: vec![fault], per_mille: 1000, seed: 0 }
    }

    /// This many of a thousand requests meet one of all the faults.
    #[must_use]
    pub fn some(per_mille: u64, seed: u64) -> Self {
        Self { faults: Fault::ALL.to_vec(), per_mille, seed }
    }

    /// The fault for the request with this number, and a random number for further choices.
    pub(super) fn fault_of(&self, request: u64) -> (Option<Fault>, u64) {
        let chance = mixed(self.seed.wrapping_add(request.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let which = usize::try_from(chance >> 40).unwrap_or(0);
        let fault =
            (chance % 1000 < self.per_mille && !self.faults.is_empty()).then(|| self.faults[which % self.faults.len()]);
        (fault, mixed(chance))
    }
}

/// A fault for all writes after a number of successful ones.
pub(super) struct Breaking {
    pub(super) fault: Fault,
    /// The number of writes that still succeed.
    pub(super) after: u64,
    /// The number of requested writes.
    pub(super) asked: u64,
}

impl Breaking {
    /// The fault for the next write.
    pub(super) fn next(&mut self) -> Option<Fault> {
        self.asked += 1;
        (self.asked > self.after).then_some(self.fault)
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
    fn the_planned_share_of_requests_meets_a_fault_and_every_fault_occurs() {
        let plan = Plan::some(100, 7);
        let met: Vec<_> = (0..10_000).filter_map(|request| plan.fault_of(request).0).collect();
        assert!((900..1100).contains(&met.len()), "{}", met.len());
        assert!(Fault::ALL.iter().all(|fault| met.contains(fault)));
        let again: Vec<_> = (0..10_000).filter_map(|request| plan.fault_of(request).0).collect();
        assert_eq!(met, again);
    }

    #[test]
    fn a_plan_without_faults_has_none_and_always_hits_every_request() {
        assert!((0..1000).all(|request| Plan::none().fault_of(request).0.is_none()));
        assert!((0..1000).all(|request| Plan::always(Fault::Reset).fault_of(request).0 == Some(Fault::Reset)));
    }
}
