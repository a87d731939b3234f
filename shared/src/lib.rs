//! The code that all functions share: the model, the table, the credentials and the HTTP edge.
//!
//! Modules depend on each other in this direction only: `http`, `auth`, `dialect` → `store` → `model` → `id`, `clock`.

mod app;
pub mod audit;
pub mod auth;
pub mod cache;
pub mod clock;
pub mod config;
#[cfg(feature = "provider")]
pub mod delivery;
pub mod dialect;
pub mod error;
pub mod http;
pub mod id;
pub mod jobs;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod last_used;
pub mod log;
pub mod mail;
#[cfg(feature = "provider")]
pub mod media_server;
pub mod meter;
pub mod metrics;
pub mod model;
#[cfg(feature = "provider")]
pub mod outgoing;
pub mod password;
#[cfg(feature = "provider")]
pub mod provider;
mod routes;
#[cfg(feature = "secrets")]
pub mod secrets;
mod services;
pub mod store;
pub mod task;
#[cfg(feature = "provider")]
pub mod termination;
pub mod trace;

pub use app::App;
pub use services::Services;
