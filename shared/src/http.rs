//! The HTTP edge: bodies, the service around the routes, and what no route answers.

mod address;
mod body;
mod fallback;
pub mod form;
mod listing;
mod service;

pub use self::{
    address::{Prefix, base_url},
    body::{BODY_LIMIT, Object, is_json, read_body},
    fallback::{RouteTable, fallback},
    listing::{Envelope, Filters, ListQuery, Listing},
    service::service,
};
