//! Errors before a handler's own work or below it. The dialect of each API says how it answers them.

use greenroom_store::StoreError;
/// An event that all APIs have in common.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller was not authenticated.
    #[error("unauthenticated")]
    Unauthenticated(Unauthenticated),
    /// The body is not a JSON object. This says why, and quotes nothing of it.
    #[error("{0}")]
    MalformedBody(String),
    /// The body has [`crate::BODY_LIMIT`] bytes or more.
    #[error("the body is too large")]
    BodyTooLarge,
    /// The body does not say that it is JSON.
    #[error("the body must be application/json")]
    UnsupportedMediaType,
    /// No function serves this path.
    #[error("no such route")]
    RouteNotFound,
    /// The path is served with other methods only.
    #[error("the method is not allowed here")]
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: String,
    },
    /// The answer did not begin in time.
    #[error("the request took too long")]
    TimedOut,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Why credentials were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthenticated {
    /// There are none, or they have another scheme.
    Missing,
    /// They are not base64 of UTF-8.
    Undecodable,
    /// They lack the colon between user and password.
    NoColon,
    /// They are wrong, or no longer valid.
    Wrong,
}

impl From<Unauthenticated> for Error {
    fn from(reason: Unauthenticated) -> Self {
        Self::Unauthenticated(reason)
    }
}
