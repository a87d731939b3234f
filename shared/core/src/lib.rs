//! What Greenroom is about, without any input or output: entities, their transitions, and the settings.
//!
//! What belongs here can be decided from its arguments alone. Time comes from a [`clock`], randomness from [`id`], and
//! the settings from the environment that a process reads at its start. The crates above add the network, the table and
//! HTTP.
//!
//! - [`model`]: the entities, who may do what, and how entities change.
//! - [`id`]: identifiers, keyed hashes and random values.
//! - [`password`]: hashing and checking passwords.
//! - [`hs256`]: signatures of tokens.
//! - [`config`]: the settings, read once at start.
//! - [`clock`]: points in time, and a clock that tests can stop.
//! - [`opaque!`]: types whose values no debug print shows.

pub mod clock;
pub mod config;
pub mod hs256;
pub mod id;
pub mod model;
mod opaque;
pub mod password;
