//! Mails, and sending those of bookings. The ways to send a mail are in `greenroom-mail`.

mod booking;

use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use greenroom_core::{
    clock::Timestamp,
    config::{self, Setting},
};

pub use self::booking::send;

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

greenroom_core::opaque!(Mail);

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

/// Why no mail can be sent with these settings. The texts have names of settings and never values.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// A setting holds no mail address.
    #[error("{} is no mail address", .0.name())]
    Address(Setting),
    /// The process was not given the settings of mails.
    #[error("there are no settings of mails")]
    NoSettings,
    /// The mail server's URL cannot be used.
    #[error("{} cannot be used: {}", Setting::SmtpUrl.name(), .0)]
    SmtpUrl(&'static str),
}

/// Makes the mailer that the settings name.
pub type MakeMailer = fn(&config::Mail) -> Result<Arc<dyn Mailer>, MailerError>;
