//! The variables of the AWS SDK, read without the SDK's credential chain. A function has its credentials in its
//! environment, and so has a user who points the local command at a table.

use aws_sdk_dynamodb::config::{Credentials, Region};
use axum::http::Uri;

use super::Environment;

/// The place of an AWS service, and the credentials for it.
#[derive(Clone)]
pub struct AwsEnvironment {
    /// An endpoint other than the region's own.
    pub endpoint_url: Option<String>,
    region: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    /// Whether the environment names certificates to trust.
    pub(crate) has_trust_store: bool,
}

impl AwsEnvironment {
    /// Reads the variables for this service. The name of its endpoint variable contains `service`.
    #[must_use]
    pub fn read(environment: &Environment, service: &str) -> Self {
        let get = |name: &str| environment.get(name).map(str::to_owned);
        Self {
            endpoint_url: get(&format!("AWS_ENDPOINT_URL_{service}")).or_else(|| get("AWS_ENDPOINT_URL")),
            region: get("AWS_REGION").or_else(|| get("AWS_DEFAULT_REGION")),
            access_key_id: get("AWS_ACCESS_KEY_ID"),
            secret_access_key: get("AWS_SECRET_ACCESS_KEY"),
            session_token: get("AWS_SESSION_TOKEN"),
            has_trust_store: ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| environment.get(name).is_some()),
        }
    }

    /// Whether the environment names an endpoint, or names AWS with credentials. A region alone is not enough, because
    /// many shells export one.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.endpoint_url.is_some() || (self.region.is_some() && self.access_key_id.is_some())
    }

    /// Whether the endpoint is on this machine.
    #[must_use]
    pub fn is_on_loopback(&self) -> bool {
        let url = self.endpoint_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
        let host = url.as_ref().and_then(Uri::host);
        host.is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"))
    }

    /// The credentials. If the environment has none, these are ones that an emulator takes and AWS refuses.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        let or_local = |value: &Option<String>| value.clone().unwrap_or_else(|| "local".to_owned());
        let (id, secret) = (or_local(&self.access_key_id), or_local(&self.secret_access_key));
        Credentials::new(id, secret, self.session_token.clone(), None, "environment")
    }

    /// The region. An emulator takes any.
    #[must_use]
    pub fn region(&self) -> Region {
        Region::new(self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()))
    }
}

impl std::fmt::Debug for AwsEnvironment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AwsEnvironment")
    }
}
