//! Settings of booking mails (`docs/apis/events-api.md`). `greenroom-mail` reads them.

use std::path::PathBuf;

use secrecy::SecretString;

use super::{AwsEnvironment, Reader};

/// Reads the settings of mails; `None` if they are not asked for, or have a problem.
pub type MailReader = fn(&mut Reader<'_>) -> Option<Mail>;

/// How mails are sent.
#[derive(Clone, Debug)]
pub enum MailTransport {
    /// Writes one `.eml` file for each mail into this directory.
    File(PathBuf),
    /// Sends to a mail server: `smtp://` or `smtps://`, with credentials.
    Smtp(SecretString),
    /// Sends by Amazon SES in this environment.
    Ses(AwsEnvironment),
}

/// Booking mails: their transport, sender and receiver.
#[derive(Clone, Debug)]
pub struct Mail {
    /// How mails are sent.
    pub transport: MailTransport,
    /// The sender's address.
    pub from: String,
    /// The receiver's address.
    pub to: String,
}
