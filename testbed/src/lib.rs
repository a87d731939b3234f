//! A stand-in for AWS Lambda: its Runtime API on a free loopback port, and one function process
//! under it.
//!
//! A function's binary runs here as it does on AWS, with the environment, the headers and the limits that it has there.
//! So a test or a benchmark sees what Lambda would see: the start, the answers, the errors, and the whole log of the
//! process.
//!
//! [`FaultyStore`] is a proxy in front of a table that fails on request. [`rights`] knows what IAM would let a function
//! do in the table. [`Request`] reads the requests of `events/`. [`HttpStub`] and [`mail_server`] play the servers that
//! Greenroom calls.

mod api;
mod client;
mod environment;
mod error;
mod faults;
mod function;
mod http;
mod long_timing;
mod request;
pub mod rights;
mod signature;
mod smtp;
mod stream;
mod table;

pub use client::{Client, RequestBuilder, Response};
pub use environment::ACCESS_KEY_ID;
pub use error::{Exit, InvokeError, Report, StartError};
pub use faults::{Fault, FaultyStore, Plan};
pub use function::Function;
pub use http::{HttpStub, nobody, serve};
pub use long_timing::{LONG_TIMEOUT, long_timing};
pub use request::Request;
pub use signature::{LIVEKIT_KEY, LIVEKIT_SECRET, admission_signature, livekit_signature, sign_event};
pub use smtp::mail_server;
pub use stream::Streamed;
pub use table::{RequestCounter, external_store, keep_what_expires};
