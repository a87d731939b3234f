//! The transport of AWS's clients: DynamoDB's, made from [`config()`], and those of other services, [`ServiceClient`].
//!
//! What belongs here is what the clients of all services share: their endpoints and credentials, their HTTP
//! connections and the certificates they trust, and how their errors are written for logs ([`reason`]). A service's own
//! operations, timeouts and retries belong to the crate that calls the service.

mod client;
mod connector;
mod service;

pub use self::{
    client::{config, reason, region},
    service::{CallError, Service, ServiceClient, code, from_json},
};
