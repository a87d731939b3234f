//! Calls of the database with the types of the SDK.

use aws_smithy_runtime_api::client::interceptors::context::Output;
use dynoxide::DynoxideError;

use super::engine::Engine;

/// A call of the database, and whether it writes.
pub(super) struct Call {
    pub(super) writes: bool,
    pub(super) work: Box<Work>,
}

/// The work of a call.
pub(super) type Work = dyn FnOnce(&Engine) -> Result<Output, DynoxideError> + Send;
