//! Why the media provider did not do what it was asked to.

use std::error::Error;

use crate::outgoing::root_cause;

/// Why the media provider did not do what it was asked to. What it says is for logs: kinds and codes, nothing of what
/// was asked or answered.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It could not be reached, or the connection ended before its answer did.
    #[error("the media provider cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long to answer.
    #[error("the media provider did not answer in time")]
    TimedOut,
    /// It does not know our key and secret.
    #[error("the media provider refused our credentials (403)")]
    Credentials,
    /// It answered with another status than was to be expected.
    #[error("the media provider answered with status {0}")]
    Status(u16),
    /// Its answer is longer than any it should give.
    #[error("the media provider's answer is too long")]
    TooLong,
    /// Its answer does not have the expected shape.
    #[error("the media provider's answer cannot be read")]
    Unreadable,
    /// The session that it made is not one of our project, or its id cannot be read.
    #[error("the media provider's session is not one of our project")]
    ForeignSession,
    /// There is no asking: the URL or the secret that it takes cannot be used.
    #[error("the request to the media provider cannot be made")]
    Request,
}

impl ProviderError {
    /// What broke the connection.
    pub(super) fn unreachable(error: &(dyn Error + 'static)) -> Self {
        Self::Unreachable(root_cause(error))
    }

    /// Whether it answered, and may answer another request otherwise.
    pub(crate) fn is_about_the_request(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Unreadable)
    }

    /// Whether the same request may do better at once (`docs/apis/opentok.md`).
    pub(super) fn is_worth_another_attempt(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Status(500..=599))
    }
}
