//! The time by which a process has to be done with a request.

use greenroom_core::clock::Timestamp;
/// When the process that serves a request is stopped, whether it is done or not. Only requests on Lambda have one.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(pub Timestamp);
