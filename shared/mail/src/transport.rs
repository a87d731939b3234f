//! Choosing the mailer that the settings name.

use std::{sync::Arc, time::Duration};

use greenroom_core::config::{self, MailTransport};
use greenroom_media::mail::{Mailer, MailerError};

use crate::{file::FileMailer, message::Addresses, ses::SesMailer, smtp::SmtpMailer};

/// The timeout of sending a mail.
const LIMIT: Duration = Duration::from_secs(8);

/// The mailer that the settings name.
pub fn mailer(config: &config::Mail) -> Result<Arc<dyn Mailer>, MailerError> {
    let addresses = Addresses::parse(&config.from, &config.to)?;
    Ok(match &config.transport {
        MailTransport::File(dir) => Arc::new(FileMailer::new(dir, addresses)),
        MailTransport::Smtp(url) => Arc::new(SmtpMailer::new(url, addresses, LIMIT)?),
        MailTransport::Ses(aws) => Arc::new(SesMailer::new(aws, addresses, LIMIT)),
    })
}
