//! The HTTP edge: bodies, the service around the routes, and what no route answers.

mod accept;
mod address;
#[cfg(feature = "provider")]
mod archives;
mod body;
pub mod conversation;
mod deadline;
mod fallback;
pub mod form;
mod id;
mod listing;
mod outcome;
mod service;

#[cfg(feature = "provider")]
pub use self::archives::{Archive, read_archives};
pub use self::{
    accept::accepts,
    address::{Prefix, base_url, prefix},
    body::{BODY_LIMIT, Object, is_json, read_body},
    deadline::Deadline,
    fallback::{RouteTable, Served, fallback},
    id::Id,
    listing::{Envelope, Filters, ListQuery, Listing},
    outcome::{Reported, TraceHeader},
    service::{ForEverybody, service},
};
