//! A stand-in for AWS Lambda: its Runtime API on a free loopback port, and one function process
//! under it.
//!
//! A function's binary runs here as it does on AWS, with the environment, the headers and the
//! limits it meets there, so that a test or a benchmark sees what Lambda would see: the start,
//! the answers, the errors, and everything the process logs.
//!
//! [`FaultyStore`] stands between whatever is tested and its table, and fails as told. [`rights`] knows what IAM would let
//! a function do there.

mod api;
mod environment;
mod error;
mod faults;
mod function;
pub mod rights;
mod stream;

pub use environment::ACCESS_KEY_ID;
pub use error::{Exit, InvokeError, Report, StartError};
pub use faults::{Fault, FaultyStore, Plan};
pub use function::Function;
pub use stream::Streamed;
