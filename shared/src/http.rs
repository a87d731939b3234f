//! The HTTP edge: bodies, the service around the routes, and what no route answers.

mod body;
mod fallback;
mod service;

pub use self::{
    body::{BODY_LIMIT, Object, is_json, read_body},
    fallback::{RouteTable, fallback},
    service::service,
};
