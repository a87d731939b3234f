//! The HTTP edge: request bodies, the layers around the routes, and the answers to requests that no route takes.

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
mod route_table;
mod service;

#[cfg(feature = "provider")]
pub use self::archives::{Archive, read_archives};
pub use self::{
    accept::{accepts, accepts_encoding},
    address::{Gateway, base_url, prefix, source},
    body::{BODY_LIMIT, Object, is_json, read_body, read_json_body, without_bom},
    deadline::Deadline,
    fallback::fallback,
    id::Id,
    listing::{Envelope, Filters, ListQuery, Listing},
    outcome::{Reported, TraceHeader},
    route_table::{RouteTable, Served},
    service::{ForEverybody, service},
};
