//! What may use what: packages, and the modules inside each.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod modules;
mod packages;
