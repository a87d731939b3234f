//! The API on a store that fails: throttled, broken, silent, cut off or slow, and sometimes, often or always.
//!
//! [`testbed::FaultyStore`] is the proxy between the functions and the store. With `GREENROOM_TEST_DYNAMODB` set to an
//! endpoint, that endpoint is the store.

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
