//! The functions as they are deployed: the binary of each one, started and invoked as Lambda does.
//!
//! [`events`] sends every file in `events/` to its function. The other modules look at the content of the answers.

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
