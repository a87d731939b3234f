//! The transport of AWS's SDKs: every client of an AWS service in this project is made from [`configure!`].
//!
//! What belongs here is what the clients of all services share: their endpoints and credentials, their HTTP
//! connections and the certificates they trust, and how their errors are written for logs ([`reason`]). A service's own
//! operations, timeouts and retries belong to the crate that calls the service.

mod client;
mod connector;

pub use greenroom_core::config::AwsEnvironment;

pub use self::client::{credentials, http_client, reason, region};
