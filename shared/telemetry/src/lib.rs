//! What a process says about its own work: logs, metrics, and the use of the table.
//!
//! What belongs here reports and decides nothing. No line carries a secret, an identifier of a person or a body.
//!
//! - [`log`]: the lines, and which of them are written.
//! - [`meter`]: how much of the table a request uses.
//! - [`metrics`]: one line for each request, which CloudWatch reads as metrics.
//! - [`task`]: tasks that go on behind an answer, counted by the request that began them.

pub mod log;
pub mod meter;
pub mod metrics;
pub mod task;
