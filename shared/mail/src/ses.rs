//! Mails through Amazon SES.

use std::time::Duration;

use aws_sdk_sesv2::{
    Client,
    config::{retry::RetryConfig, timeout::TimeoutConfig},
    error::{ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    primitives::Blob,
    types::{Destination, EmailContent, RawMessage},
};
use futures_util::future::BoxFuture;
use greenroom_aws::configure;
use greenroom_core::config::AwsEnvironment;
use greenroom_media::mail::{Mail, MailError, Mailer};

use crate::message::Addresses;

/// The attempts of a mail. SES may take the mail at each. A connection that an idle function kept may be dead.
const ATTEMPTS: u32 = 3;

/// Sends mails through Amazon SES.
#[derive(Debug)]
pub(super) struct SesMailer {
    client: Client,
    addresses: Addresses,
}

impl SesMailer {
    pub(super) fn new(environment: &AwsEnvironment, addresses: Addresses, limit: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(limit).operation_attempt_timeout(limit / 2);
        let config = configure!(aws_sdk_sesv2, environment)
            .retry_config(
                RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50)),
            )
            .timeout_config(timeouts.connect_timeout(limit / 4).build());
        Self { client: Client::from_conf(config.build()), addresses }
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let raw = RawMessage::builder().data(Blob::new(self.addresses.write(mail)?)).build();
        let raw = raw.map_err(|_| MailError::Refused("the request cannot be made".to_owned()))?;
        let send = self
            .client
            .send_email()
            .from_email_address(self.addresses.from())
            .destination(Destination::builder().to_addresses(self.addresses.to()).build())
            .content(EmailContent::builder().raw(raw).build());
        send.send().await.map_err(|error| refused(&error))?;
        Ok(())
    }
}

impl Mailer for SesMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

fn refused(error: &SdkError<SendEmailError>) -> MailError {
    let passing = match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            status >= 500 || status == 429 || service.err().code().is_none_or(is_passing)
        }
        _ => false,
    };
    let reason = greenroom_aws::reason(error);
    if passing { MailError::Unavailable(reason) } else { MailError::Refused(reason) }
}

/// Whether an error with this code passes by itself.
fn is_passing(code: &str) -> bool {
    matches!(
        code,
        "TooManyRequestsException" | "LimitExceededException" | "SendingPausedException" | "ThrottlingException"
    )
}

#[cfg(test)]
mod tests;
