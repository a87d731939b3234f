//! Settings of booking mails (`events-api.md`).

use std::path::PathBuf;

use secrecy::SecretString;

use super::{AwsEnvironment, Reader, Setting};

/// How mails leave.
#[derive(Clone, Debug)]
pub enum MailTransport {
    /// One `.eml` file a mail in this directory.
    File(PathBuf),
    /// A mail server: `smtp://` or `smtps://`, with its credentials.
    Smtp(SecretString),
    /// Amazon SES, where the environment says it is.
    Ses(AwsEnvironment),
}

/// Booking mails: how they leave, from whom and to whom.
#[derive(Clone, Debug)]
pub struct Mail {
    /// How mails leave.
    pub transport: MailTransport,
    /// The sender's address.
    pub from: String,
    /// The receiver's address.
    pub to: String,
}

impl Mail {
    /// The settings; `None` where they are not asked for.
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let aws = AwsEnvironment::read(reader.environment, "SESV2");
        let (dir, url) = (reader.text(Setting::MailDir), reader.text(Setting::SmtpUrl));
        let transport = reader.parse(Setting::MailTransport, |text| match (text, &dir, &url) {
            ("file", Some(dir), _) => Ok(MailTransport::File(dir.into())),
            ("file", None, _) => Err(format!("file needs {}", Setting::MailDir.name())),
            ("smtp", _, Some(url)) if url.starts_with("smtp://") || url.starts_with("smtps://") => {
                Ok(MailTransport::Smtp(url.clone().into()))
            }
            ("smtp", ..) => Err(format!("smtp needs {}, smtp:// or smtps://", Setting::SmtpUrl.name())),
            ("ses", ..) => Ok(MailTransport::Ses(aws.clone())),
            _ => Err("must be file, smtp or ses".to_owned()),
        });
        let from = reader.parse(Setting::MailFrom, address);
        let to = reader.parse(Setting::BookingMailTo, address);
        Some(Self { transport: transport?, from: from?, to: to? })
    }
}

fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once('@').filter(|(user, host)| !user.is_empty() && !host.is_empty());
    let bare = parts.is_some() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "<>,".contains(c));
    if bare { Ok(text.to_owned()) } else { Err("must be a mail address like bookings@example.com".to_owned()) }
}
