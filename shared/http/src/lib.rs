//! The HTTP edge, which all functions share: from a request to a handler, and from an outcome to an answer.
//!
//! What belongs here knows HTTP, and no function of its own: the credentials of callers, the bodies and parameters of
//! requests, the dialects in which the APIs refuse, the layers around the routes, and the answers to requests that no
//! route takes. What a function does with a request is in `functions/`; what it does to the table or to other servers
//! is in the crates below.
//!
//! - [`App`]: what the handlers and layers of a process share.
//! - [`auth`]: authentication, with a type for each credential.
//! - [`dialect`]: the errors of each API, in its own words. [`error`] has those that all APIs share.
//! - [`form`], [`Listing`], [`conversation`]: reading bodies and parameters.
//! - [`service`]: the layers around the routes of a process. [`routes!`] declares the routes of a function.

mod accept;
mod address;
mod app;
mod archives;
pub mod auth;
mod body;
pub mod cache;
pub mod conversation;
mod deadline;
pub mod dialect;
pub mod error;
mod fallback;
pub mod form;
mod id;
pub mod last_used;
mod listing;
mod outcome;
mod route_table;
mod routes;
mod service;
mod shown;

pub use self::{
    accept::{accepts, accepts_encoding, asks_for},
    address::{Gateway, base_url, prefix, source},
    app::App,
    archives::{Archive, read_archives},
    body::{BODY_LIMIT, Object, is_json, read_body, read_body_up_to, read_json_body, without_bom},
    deadline::Deadline,
    fallback::fallback,
    id::Id,
    listing::{Envelope, Filters, ListQuery, Listed, Listing},
    outcome::Reported,
    route_table::{RouteTable, Served},
    routes::{Function, documented},
    service::{ForEverybody, service},
    shown::Shown,
};
