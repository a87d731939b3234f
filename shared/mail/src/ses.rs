//! Mails through Amazon SES.

use std::time::Duration;

use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::future::BoxFuture;
use greenroom_aws::{CallError, Service, ServiceClient, from_json, reason};
use greenroom_core::config::AwsEnvironment;
use greenroom_media::mail::{Mail, MailError, Mailer};
use http::{Request, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::message::Addresses;

/// Amazon SES, as its SDK names it.
const SES: Service = Service { name: "SESv2", signing_name: "ses", host: "email" };

/// The attempts of a mail. SES may take the mail at each. A connection that an idle function kept may be dead.
const ATTEMPTS: u32 = 3;

/// Sends mails through Amazon SES.
#[derive(Debug)]
pub(super) struct SesMailer {
    client: ServiceClient,
    addresses: Addresses,
}

impl SesMailer {
    pub(super) fn new(environment: &AwsEnvironment, addresses: Addresses, limit: Duration) -> Self {
        let timeouts = TimeoutConfig::builder().operation_timeout(limit).operation_attempt_timeout(limit / 2).build();
        let retries =
            RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(Duration::from_millis(50));
        let client = ServiceClient::new(SES, environment).timeouts(timeouts).retries(retries);
        Self { client, addresses }
    }

    async fn hand_over(&self, mail: &Mail) -> Result<(), MailError> {
        let input = json!({
            "FromEmailAddress": self.addresses.from(),
            "Destination": { "ToAddresses": [self.addresses.to()] },
            "Content": { "Raw": { "Data": BASE64_STANDARD.encode(self.addresses.write(mail)?) } },
        });
        let request = Request::post("/v2/email/outbound-emails").header(CONTENT_TYPE, "application/json");
        let sent = self.client.call("SendEmail", request.body(input.to_string()), from_json::<Value>).await;
        sent.map(drop).map_err(|error| refused(&error))
    }
}

impl Mailer for SesMailer {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>> {
        Box::pin(self.hand_over(mail))
    }
}

fn refused(error: &CallError) -> MailError {
    let passing = match error {
        CallError::TimeoutError(_) | CallError::DispatchFailure(_) | CallError::ResponseError(_) => true,
        CallError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            status >= 500 || status == 429 || service.err().code().is_none_or(is_passing)
        }
        _ => false,
    };
    let reason = reason(error);
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
