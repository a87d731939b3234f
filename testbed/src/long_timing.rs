//! Timing for tests that are not about deadlines.

use std::time::Duration;

use greenroom_core::config::Timing;

/// Longer than anything takes, even on a machine whose processors are busy with other work.
pub const LONG_TIMEOUT: Duration = Duration::from_mins(5);

/// Timing under which no deadline of Greenroom's own work passes. Media servers have to answer, and event streams do
/// something, as in production.
#[must_use]
pub fn long_timing() -> Timing {
    Timing {
        answer: LONG_TIMEOUT,
        contention: LONG_TIMEOUT,
        job: LONG_TIMEOUT,
        delivery: LONG_TIMEOUT,
        opening: LONG_TIMEOUT,
        settling: LONG_TIMEOUT,
        ..Timing::default()
    }
}
