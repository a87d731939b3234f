//! What the clients of all AWS services have in common.

use std::error::Error;

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::{
    Config,
    config::{BehaviorVersion, Builder},
};
use aws_smithy_runtime_api::client::{http::SharedHttpClient, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::region::Region;
use greenroom_core::config::AwsEnvironment;

use crate::connector::{self, Trust};

/// The configuration of a client of DynamoDB: endpoint, region, credentials, and the HTTP client. Timeouts and retries
/// are those of the SDK, until the caller sets its own.
#[must_use]
pub fn config(environment: &AwsEnvironment) -> Builder {
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client(environment))
        .credentials_provider(credentials(environment))
        .region(region(environment));
    config.set_endpoint_url(environment.endpoint_url.clone());
    config
}

/// The region. An emulator takes any.
#[must_use]
pub fn region(environment: &AwsEnvironment) -> Region {
    Region::new(environment.region.clone().unwrap_or_else(|| "us-east-1".to_owned()))
}

/// The credentials. If the environment has none, these are ones that an emulator takes and AWS refuses.
pub(crate) fn credentials(environment: &AwsEnvironment) -> Credentials {
    let or_local = |value: &Option<String>| value.clone().unwrap_or_else(|| "local".to_owned());
    let (id, secret) = (or_local(&environment.access_key_id), or_local(&environment.secret_access_key));
    Credentials::new(id, secret, environment.session_token.clone(), None, "environment")
}

/// The HTTP client for this environment's endpoint. It uses plain HTTP where the environment says so, else TLS by
/// rustls on ring, the only crypto library in the tree.
///
/// For AWS's own endpoints it trusts Amazon's roots only: reading all roots of the machine takes longer than everything
/// else before the first request. It reads the machine's roots for other endpoints, and where the environment names
/// them.
pub(crate) fn http_client(environment: &AwsEnvironment) -> SharedHttpClient {
    if environment.endpoint_url.as_ref().is_some_and(|url| url.starts_with("http://")) {
        return connector::plain();
    }
    let is_aws = environment.endpoint_url.is_none() && !environment.has_trust_store;
    connector::secure(if is_aws { Trust::Amazon } else { Trust::Machine })
}

/// The reason of an SDK error for logs: codes and kinds, and nothing from the request or the answer.
pub fn reason<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::TimeoutError(_) => "timed out".to_owned(),
        SdkError::DispatchFailure(failure) => {
            failure.as_connector_error().map_or_else(String::new, |error| causes(error))
        }
        SdkError::ResponseError(_) => "the answer cannot be read".to_owned(),
        SdkError::ServiceError(service) => service.err().code().unwrap_or("an error without a code").to_owned(),
        _ => "the request cannot be made".to_owned(),
    }
}

/// An error and its causes in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let all = std::iter::successors(Some(error), |&error| error.source());
    all.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
