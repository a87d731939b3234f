//! OpenVidu's two families of paths: `/api` of 2.15 (`docs/apis/openvidu.md`) and `/openvidu/api` of 2.16 to 2.32
//! (`docs/apis/openvidu-2.32.md`).
//!
//! What belongs here is what the functions of these paths share: how they read paths, queries and bodies, and how 2.32
//! shows sessions and connections. What only one function does with a request is in `functions/`, in a module for each
//! family. The refusals are in `greenroom_http::dialect::openvidu`.

mod body;
mod connection;
mod fields;
mod list;
mod path;
mod query;
mod session;

pub use self::{
    body::{Given, read_object},
    connection::Connection,
    fields::{Fields, value},
    list::List,
    path::SessionPath,
    query::Query,
    session::Session,
};
