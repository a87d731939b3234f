//! The deployed secret: one Secrets Manager secret, JSON with the settings' names.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::{Client, Config, config::BehaviorVersion};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    config::{AwsEnvironment, Environment},
    store,
};

/// Names the secret.
pub const SECRETS_ARN: &str = "SECRETS_ARN";

/// Why the secret could not be read; never what is in it.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager did not give it out.
    #[error("the secret that SECRETS_ARN names cannot be read: {0}")]
    Unreadable(String),
    /// It is not what we keep there.
    #[error("the secret that SECRETS_ARN names is not a JSON object")]
    NotAnObject,
}

/// Adds what the secret holds for the names that the environment does not set. Without `SECRETS_ARN` nothing is added.
pub async fn fill(environment: &mut Environment) -> Result<(), SecretsError> {
    let Some(arn) = environment.get(SECRETS_ARN) else { return Ok(()) };
    let secret = SecretString::from(read(&client(environment), arn).await?);
    let values: BTreeMap<String, Value> =
        serde_json::from_str(secret.expose_secret()).map_err(|_| SecretsError::NotAnObject)?;
    environment.fill(values.into_iter().map(|(name, value)| match value {
        Value::String(text) => (name, text),
        other => (name, other.to_string()),
    }));
    Ok(())
}

fn client(environment: &Environment) -> Client {
    let aws = AwsEnvironment::read(environment, "SECRETS_MANAGER");
    let mut config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(store::http_client(&aws))
        .credentials_provider(aws.credentials())
        .region(aws.region());
    config.set_endpoint_url(aws.endpoint_url);
    Client::from_conf(config.build())
}

async fn read(client: &Client, arn: &str) -> Result<String, SecretsError> {
    let output = client.get_secret_value().secret_id(arn).send().await;
    let output = output.map_err(|error| SecretsError::Unreadable(store::reason(&error)))?;
    output.secret_string.ok_or(SecretsError::NotAnObject)
}
