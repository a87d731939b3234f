//! The `greenroom` command as a person at the terminal uses it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod beside;
mod bookings;
mod commands;
mod copies;
mod data_dirs;
mod demo;
mod doors;
mod housekeeping;
mod keys;
mod live;
mod process;
mod serving;
mod sessions;
#[cfg(unix)]
mod terminal;
