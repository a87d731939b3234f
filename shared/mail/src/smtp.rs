//! Mails through a mail server (RFC 5321).

use std::time::Duration;

use futures_util::future::BoxFuture;
use greenroom_media::mail::{Mail, MailError, Mailer, MailerError};
use lettre::transport::smtp::{
    self, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
    authentication::{Credentials, DEFAULT_MECHANISMS},
    client::{AsyncSmtpConnection, Tls, TlsParameters},
    extension::ClientId,
};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;
use url::Url;

use crate::message::Addresses;

/// Sends mails to a mail server. Each has a connection of its own, because one that an idle function kept may be dead.
pub(super) struct SmtpMailer {
    host: String,
    port: u16,
    tls: Tls,
    credentials: Option<Credentials>,
    addresses: Addresses,
    limit: Duration,
}

greenroom_core::opaque!(SmtpMailer);

impl SmtpMailer {
    pub(super) fn new(url: &SecretString, addresses: Addresses, limit: Duration) -> Result<Self, MailerError> {
        let Server { host, port, security, credentials } = Server::parse(url).map_err(MailerError::SmtpUrl)?;
        let parameters = || {
            let parameters = TlsParameters::new(host.clone());
            parameters.map_err(|_| MailerError::SmtpUrl("no certificate can have its host"))
        };
        let tls = match security {
            Security::FromTheStart => Tls::Wrapper(parameters()?),
            Security::Required => Tls::Required(parameters()?),
            Security::Opportunistic => Tls::Opportunistic(parameters()?),
            Security::None => Tls::None,
        };
        Ok(Self { host, port, tls, credentials, addresses, limit })
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let (message, envelope) = (self.addresses.write(mail)?, self.addresses.envelope()?);
        let goodbye = self.limit / 16;
        let taken = timeout(self.limit.saturating_sub(goodbye), async {
            let mut connection = self.connect().await?;
            connection.send(&envelope, &message).await?;
            Ok(connection)
        });
        let taken = taken.await.map_err(|_| MailError::Unavailable("timed out".to_owned()))?;
        let mut connection = taken.map_err(|error: smtp::Error| refused(&error))?;
        // The mail has been sent, however the server ends the connection.
        let _ = timeout(goodbye, connection.abort()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, smtp::Error> {
        let name = ClientId::default();
        let wrapper = if let Tls::Wrapper(parameters) = &self.tls { Some(parameters.clone()) } else { None };
        let server = (self.host.as_str(), self.port);
        let mut connection = AsyncSmtpConnection::connect_tokio1(server, None, &name, wrapper, None).await?;
        match &self.tls {
            Tls::Required(parameters) => connection.starttls(parameters.clone(), &name).await?,
            Tls::Opportunistic(parameters) if connection.can_starttls() => {
                connection.starttls(parameters.clone(), &name).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }
}

impl Mailer for SmtpMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

/// How a connection gets TLS.
enum Security {
    FromTheStart,
    /// By STARTTLS. Without it no mail is sent.
    Required,
    /// By STARTTLS, if the server offers it.
    Opportunistic,
    None,
}

/// A mail server, as a URL names it.
struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

impl Server {
    /// `smtps://` is TLS from the start. `smtp://` with `?tls=required` or `?tls=opportunistic` begins TLS with
    /// STARTTLS, and `smtp://` alone has none. An error quotes nothing of the URL, which holds a password.
    fn parse(url: &SecretString) -> Result<Self, &'static str> {
        let url = Url::parse(url.expose_secret()).map_err(|_| "it is no URL")?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("it has no host")?.to_owned();
        let asked = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), asked.as_deref()) {
            ("smtps", None) => (Security::FromTheStart, SUBMISSIONS_PORT),
            ("smtp", Some("required")) => (Security::Required, SUBMISSION_PORT),
            ("smtp", Some("opportunistic")) => (Security::Opportunistic, SUBMISSION_PORT),
            ("smtp", None) => (Security::None, SMTP_PORT),
            _ => return Err("it must be smtps://, or smtp:// with tls=required, opportunistic"),
        };
        Ok(Self { host, port: url.port().unwrap_or(port), security, credentials: credentials(&url)? })
    }
}

/// Why a URL cannot be used as a mail server. The text quotes nothing of the URL. `None` if it can be used.
pub(crate) fn problem_of(url: &SecretString) -> Option<&'static str> {
    Server::parse(url).err()
}

fn credentials(url: &Url) -> Result<Option<Credentials>, &'static str> {
    let Some(password) = url.password() else { return Ok(None) };
    let decode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded.map(String::from).map_err(|_| "its credentials are not UTF-8")
    };
    Ok(Some(Credentials::new(decode(url.username())?, decode(password)?)))
}

/// The error of a mail server's refusal, or of its silence. The server's own text may quote an address, so only codes
/// are kept.
fn refused(error: &smtp::Error) -> MailError {
    let reason = match error.status() {
        Some(code) => format!("SMTP {code}"),
        None if error.is_response() => "the answer cannot be read".to_owned(),
        None if error.is_tls() => "TLS failed".to_owned(),
        None if error.is_client() => "the server lacks what the settings ask of it".to_owned(),
        None => "the connection failed".to_owned(),
    };
    // A client error says what the server cannot do, like TLS or a way to log in. It is as final as a refusal.
    if error.is_permanent() || error.is_client() { MailError::Refused(reason) } else { MailError::Unavailable(reason) }
}

#[cfg(test)]
mod tests;
