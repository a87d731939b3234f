//! Choosing the mailer that the settings name.

use std::{sync::Arc, time::Duration};

use super::{Mailer, file::FileMailer, message::Addresses, ses::SesMailer, smtp::SmtpMailer};
use crate::{
    Services,
    config::{self, MailTransport, Setting},
};

/// The timeout of sending a mail.
const LIMIT: Duration = Duration::from_secs(8);

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

/// The mailer that the settings name.
pub fn mailer(config: &config::Mail) -> Result<Arc<dyn Mailer>, MailerError> {
    let addresses = Addresses::parse(&config.from, &config.to)?;
    Ok(match &config.transport {
        MailTransport::File(dir) => Arc::new(FileMailer::new(dir, addresses)),
        MailTransport::Smtp(url) => Arc::new(SmtpMailer::new(url, addresses, LIMIT)?),
        MailTransport::Ses(aws) => Arc::new(SesMailer::new(aws, addresses, LIMIT)),
    })
}

impl Services {
    /// The mailer. It is made for the first request that needs it.
    pub fn mailer(&self) -> Result<&Arc<dyn Mailer>, MailerError> {
        if let Some(mailer) = self.mailer.get() {
            return Ok(mailer);
        }
        let mailer = mailer(self.config.mail.as_ref().ok_or(MailerError::NoSettings)?)?;
        Ok(self.mailer.get_or_init(|| mailer))
    }
}
