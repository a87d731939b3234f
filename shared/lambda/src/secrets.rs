//! The secrets of a deployment: a Secrets Manager secret for each [`SecretFamily`]. Each is JSON, keyed by the
//! settings' names.

use std::collections::BTreeMap;

use aws_sdk_secretsmanager::Client;
use greenroom_aws::{configure, reason};
use greenroom_core::config::{AwsEnvironment, Environment, SecretFamily, Setting};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// The variable with the prefix of the names of a deployment's secrets.
pub const SECRETS_PREFIX: &str = "SECRETS_PREFIX";

/// Why a secret could not be read. The texts never have its content.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// Secrets Manager did not return it.
    #[error("the secret {0} cannot be read: {1}")]
    Unreadable(String, String),
    /// It is not a JSON object.
    #[error("the secret {0} is not a JSON object")]
    NotAnObject(String),
}

/// Adds the values in the secrets for those of these settings that the environment does not set. Without
/// `SECRETS_PREFIX` nothing is added.
///
/// One request for each secret, one after the other. A function needs at most three, and connections of their own would
/// cost a small function's processor more time than waiting for the answers does.
pub async fn fill(environment: &mut Environment, settings: &[Setting]) -> Result<(), SecretsError> {
    let Some(prefix) = environment.get(SECRETS_PREFIX).map(str::to_owned) else { return Ok(()) };
    let client = client(environment);
    for family in SecretFamily::of_all(settings) {
        let name = format!("{prefix}{}", family.name());
        let secret = SecretString::from(read(&client, &name).await?);
        let Ok(mut values) = serde_json::from_str::<BTreeMap<String, Value>>(secret.expose_secret()) else {
            return Err(SecretsError::NotAnObject(name));
        };
        let held = family.settings().iter().map(|setting| setting.name());
        environment.fill(held.filter_map(|name| match values.remove(name)? {
            Value::String(text) => Some((name.to_owned(), text)),
            other => Some((name.to_owned(), other.to_string())),
        }));
    }
    Ok(())
}

fn client(environment: &Environment) -> Client {
    let aws = AwsEnvironment::read(environment, "SECRETS_MANAGER");
    Client::from_conf(configure!(aws_sdk_secretsmanager, &aws).build())
}

async fn read(client: &Client, name: &str) -> Result<String, SecretsError> {
    let output = client.get_secret_value().secret_id(name).send().await;
    let output = output.map_err(|error| SecretsError::Unreadable(name.to_owned(), reason(&error)))?;
    output.secret_string.ok_or_else(|| SecretsError::NotAnObject(name.to_owned()))
}
