//! Mails and the ways to send them.

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

/// A mail. The mailer knows its sender and receiver.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The id by which a second copy is recognised: letters, digits and underscores.
    pub id: String,
    /// The subject. It contains nothing that a caller wrote.
    pub subject: String,
    /// The text: plain, with line feeds.
    pub text: String,
    /// The time of sending.
    pub date: Timestamp,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

/// Why a mail was not sent. The texts are for logs: they name kinds and codes, and no address or text of the mail.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The mail was refused, and trying again does not help.
    #[error("the mail was refused: {0}")]
    Refused(String),
    /// The mail was refused for now, or the server was unreachable or too slow. The same mail may be sent later. If the
    /// answer was lost, it has been sent already.
    #[error("the mail cannot be sent for now: {0}")]
    Unavailable(String),
}

/// A way to send mails.
pub trait Mailer: fmt::Debug + Send + Sync {
    /// Sends a mail. When this returns, the mail has been sent, or an error says that it was not. Takes at most 8
    /// seconds.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>>;
}

#[cfg(feature = "mail")]
#[cfg(test)]
mod tests;
