//! Timing for tests that are not about deadlines.

use std::time::Duration;

use greenroom_core::config::Timing;

/// Longer than anything takes, even on a machine whose processors are busy with other work.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// Timing under which no deadline of Greenroom's own work passes. Media servers have to answer, and event streams do
/// something, as in production.
#[must_use]
pub fn patient() -> Timing {
    Timing {
        answer: PATIENCE,
        contention: PATIENCE,
        job: PATIENCE,
        delivery: PATIENCE,
        opening: PATIENCE,
        settling: PATIENCE,
        ..Timing::default()
    }
}
