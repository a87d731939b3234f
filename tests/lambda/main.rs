//! The functions as they are deployed: each one's own binary, started and invoked as Lambda would.
//!
//! Every file in `events/` is sent to its function by [`events`]; the other modules look at what the answers say.

#![expect(clippy::unwrap_used, reason = "a test that meets what it does not expect has failed")]

mod answer;
mod binaries;
mod events;
mod faults;
mod flows;
mod gateways;
mod housekeeping;
mod logs;
mod meeting;
mod organisers;
mod permissions;
mod secrets;
mod specification;
mod stage;
mod start;
mod streams;
mod telemetry;
