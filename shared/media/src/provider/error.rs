//! Errors of the media provider.

use std::error::Error;

use crate::outgoing::root_cause;

/// Why a call of the media provider failed. The texts are for logs: they name kinds and codes, and nothing from the
/// request or the answer.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// It could not be reached, or the connection broke before the answer.
    #[error("the media provider cannot be reached: {0}")]
    Unreachable(String),
    /// It took too long to answer.
    #[error("the media provider did not answer in time")]
    TimedOut,
    /// It does not accept our key and secret, or its clock differs too much from ours.
    #[error("the media provider refused our credentials")]
    Credentials,
    /// It accepts our key, and the permission in our request is not the one that it asks for.
    #[error("the media provider refused the permission in a request of ours (401)")]
    Permission,
    /// It does not record, so it has no archives.
    #[error("the media provider does not record")]
    NoArchives,
    /// It answered with an unexpected status.
    #[error("the media provider answered with status {0}")]
    Status(u16),
    /// Its answer is too long.
    #[error("the media provider's answer is too long")]
    TooLong,
    /// Its answer does not have the expected form.
    #[error("the media provider's answer cannot be read")]
    Unreadable,
    /// The session that it made belongs to another project or application, or its id cannot be read.
    #[error("the media provider's session is not one of our project")]
    ForeignSession,
    /// The request cannot be made: its URL or secret cannot be used.
    #[error("the request to the media provider cannot be made")]
    Request,
}

impl ProviderError {
    /// The error of a broken connection.
    pub(super) fn unreachable(error: &(dyn Error + 'static)) -> Self {
        Self::Unreachable(root_cause(error))
    }

    /// Whether it stays until somebody mends the configuration or the code.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(self, Self::Credentials | Self::Permission | Self::Request)
    }

    /// Whether the provider answered, and might answer another request differently.
    #[must_use]
    pub fn is_about_the_request(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Unreadable)
    }

    /// Whether the same request may succeed at once (`docs/apis/opentok.md`).
    pub(super) fn is_worth_another_attempt(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Status(500..=599))
    }
}
