//! The secrets of a deployment: a Secrets Manager secret for each [`SecretFamily`]. Each is JSON, keyed by the
//! settings' names.

use std::collections::BTreeMap;

use greenroom_aws::{Service, ServiceClient, reason};
use greenroom_core::config::{AwsEnvironment, Environment, SecretFamily, Setting};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

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

/// The answer of `GetSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretValue {
    secret_string: Option<SecretString>,
}

/// Adds the values in the secrets for those of these settings that the environment does not set. Without
/// `SECRETS_PREFIX` nothing is added.
///
/// One request for each secret, one after the other. A function needs at most three, and connections of their own would
/// cost a small function's processor more time than waiting for the answers does.
pub async fn fill(environment: &mut Environment, settings: &[Setting]) -> Result<(), SecretsError> {
    let Some(prefix) = environment.get(SECRETS_PREFIX).map(str::to_owned) else { return Ok(()) };
    let client = ServiceClient::new(Service::SECRETS_MANAGER, &AwsEnvironment::read(environment, "SECRETS_MANAGER"));
    for family in SecretFamily::of_all(settings) {
        let name = format!("{prefix}{}", family.name());
        let secret = read(&client, &name).await?;
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

async fn read(client: &ServiceClient, name: &str) -> Result<SecretString, SecretsError> {
    let output = client.call_target::<SecretValue>("GetSecretValue", &json!({ "SecretId": name })).await;
    let output = output.map_err(|error| SecretsError::Unreadable(name.to_owned(), reason(&error)))?;
    output.secret_string.ok_or_else(|| SecretsError::NotAnObject(name.to_owned()))
}
