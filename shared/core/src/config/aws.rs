//! The variables of the AWS SDK, read without the SDK's credential chain. A function has its credentials in its
//! environment, and so has a user who points the local command at a table.

use http::Uri;

use super::Environment;

/// The place of an AWS service, and the credentials for it.
#[derive(Clone)]
pub struct AwsEnvironment {
    /// An endpoint other than the region's own.
    pub endpoint_url: Option<String>,
    /// The region; `None` if the environment names none.
    pub region: Option<String>,
    /// The access key id.
    pub access_key_id: Option<String>,
    /// The secret access key.
    pub secret_access_key: Option<String>,
    /// The token of temporary credentials.
    pub session_token: Option<String>,
    /// Whether the environment names certificates to trust.
    pub has_trust_store: bool,
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
}

crate::opaque!(AwsEnvironment);
