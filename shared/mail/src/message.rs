//! The message format of a mail (RFC 5322).

use std::time::{Duration, UNIX_EPOCH};

use greenroom_core::config::Setting;
use greenroom_media::mail::{Mail, MailError, MailerError};
use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, MIME_VERSION_1_0},
    },
};

/// The sender's and the receiver's address.
#[derive(Clone)]
pub(super) struct Addresses {
    from: Address,
    to: Address,
}

greenroom_core::opaque!(Addresses);

impl Addresses {
    pub(super) fn parse(from: &str, to: &str) -> Result<Self, MailerError> {
        let parse = |text: &str, setting| text.parse().map_err(|_| MailerError::Address(setting));
        Ok(Self { from: parse(from, Setting::MailFrom)?, to: parse(to, Setting::BookingMailTo)? })
    }

    pub(super) fn from(&self) -> &str {
        self.from.as_ref()
    }

    pub(super) fn to(&self) -> &str {
        self.to.as_ref()
    }

    /// The envelope for a mail server.
    pub(super) fn envelope(&self) -> Result<Envelope, MailError> {
        Envelope::new(Some(self.from.clone()), vec![self.to.clone()]).map_err(unwritable)
    }

    /// The whole message, from the first header to the last line.
    pub(super) fn write(&self, mail: &Mail) -> Result<Vec<u8>, MailError> {
        let since_epoch = Duration::from_secs(u64::try_from(mail.date.seconds()).unwrap_or_default());
        let message = Message::builder()
            .from(Mailbox::new(None, self.from.clone()))
            .to(Mailbox::new(None, self.to.clone()))
            .subject(&mail.subject)
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.domain())))
            .date(UNIX_EPOCH + since_epoch)
            .header(MIME_VERSION_1_0)
            .header(ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .map_err(unwritable)?;
        Ok(message.formatted())
    }
}

/// The library's own message may quote an address.
fn unwritable(_: lettre::error::Error) -> MailError {
    MailError::Refused("it cannot be written".to_owned())
}
