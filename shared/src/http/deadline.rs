//! Until when a process has for a request.

use crate::clock::Timestamp;

/// When the process that serves a request is stopped, whether it is done or not. A request has one on Lambda.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Timestamp);
