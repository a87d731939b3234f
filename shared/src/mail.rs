//! Mails: what leaves, and the ways it can leave by.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::clock::Timestamp;

mod booking;
#[cfg(feature = "mail")]
mod file;
#[cfg(feature = "mail")]
mod message;
#[cfg(feature = "mail")]
mod ses;
#[cfg(feature = "mail")]
mod smtp;
#[cfg(feature = "mail")]
mod transport;

pub use self::booking::send;
#[cfg(feature = "mail")]
pub(crate) use self::smtp::problem_of;
#[cfg(feature = "mail")]
pub use self::transport::{MailerError, mailer};

/// A mail. From whom and to whom it goes is the mailer's to know.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// What it is recognised by where it arrives twice; letters, digits and underscores.
    pub id: String,
    /// What it is about; nothing that a caller wrote.
    pub subject: String,
    /// What it says: plain text, its lines ended by line feeds.
    pub text: String,
    /// When it is sent.
    pub date: Timestamp,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

/// Why a mail did not leave. What it says is for logs: kinds and codes, no address and nothing of the mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Refused for a reason that trying again does not mend.
    #[error("the mail was refused: {0}")]
    Refused(String),
    /// Refused for now, unreachable or out of time: the same mail may leave later. Where the answer was lost, it has
    /// left already.
    #[error("the mail cannot be sent for now: {0}")]
    Unavailable(String),
}

/// A way for mails to leave by.
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Sends a mail: once this returns, it has left, or an error says that it has not. Takes 8 seconds at most.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>>;
}

#[cfg(feature = "mail")]
#[cfg(test)]
mod tests;
