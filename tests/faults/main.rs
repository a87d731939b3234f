//! The API before a store that fails: throttled, broken, silent, cut off, slow; sometimes, often and always.
//!
//! Between the functions and the store stands [`testbed::FaultyStore`]. With `GREENROOM_TEST_DYNAMODB` set to an endpoint,
//! the store behind it is that one.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod bed;
mod calls;
mod connections;
mod contract;
mod crowd;
mod every_route;
mod late;
mod outage;
mod proxy;
mod resumed;
mod table;
mod work;
mod world;
