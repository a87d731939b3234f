//! The `greenroom` command as the person at the terminal meets it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod accounts;
mod bookings;
mod commands;
mod housekeeping;
mod keys;
mod process;
mod serving;
