//! The secrets of a deployment, which hold its credentials.

use std::{collections::BTreeMap, time::Duration};

use greenroom_aws::{ServiceClient, code, reason};
use greenroom_core::{clock::Timestamp, config::SecretFamily, id::random_hex};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use crate::cli::{
    CliError,
    aws::Aws,
    credential::{Credential, Values},
};

/// The label of the version that functions read.
const CURRENT: &str = "AWSCURRENT";
/// The label of a version that functions do not read yet.
const NEXT: &str = "GREENROOM_NEXT";

/// The secrets of a deployment, as they were read.
pub(crate) struct Keyring {
    client: ServiceClient,
    secrets: BTreeMap<SecretFamily, Held>,
}

/// A secret of Secrets Manager, as it was read.
struct Held {
    id: String,
    version: String,
    changed_at: Option<Timestamp>,
    content: Map<String, Value>,
}

/// The answer of `GetSecretValue` and of `PutSecretValue`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SecretVersion {
    version_id: String,
    secret_string: Option<SecretString>,
    /// In seconds since 1970.
    created_date: Option<f64>,
}

impl Keyring {
    /// Reads these secrets of the deployment whose secrets' names begin with `prefix`. One request each.
    pub(crate) async fn read(aws: &Aws, prefix: &str, families: &[SecretFamily]) -> Result<Self, CliError> {
        let client = aws.secrets_manager();
        let mut secrets = BTreeMap::new();
        for family in families {
            secrets.insert(*family, Held::read(&client, format!("{prefix}{}", family.name())).await?);
        }
        Ok(Self { client, secrets })
    }

    /// Reads one secret that holds the settings of every family.
    pub(super) async fn read_whole(aws: &Aws, id: &str) -> Result<Map<String, Value>, CliError> {
        Ok(Held::read(&aws.secrets_manager(), id.to_owned()).await?.content)
    }

    /// When one of these secrets was last changed.
    pub(crate) fn changed_at(&self) -> Option<Timestamp> {
        self.secrets.values().filter_map(|held| held.changed_at).max()
    }

    /// The names and values that they hold, as for an environment.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        let contents = self.secrets.values().flat_map(|held| &held.content);
        contents.map(|(name, value)| (name.clone(), text(value)))
    }

    /// The live values of a credential; `None` if it has none.
    pub(crate) fn values(&self, credential: Credential) -> Result<Option<Values>, CliError> {
        let held = self.secrets.get(&credential.family());
        let kept = held.and_then(|held| held.content.get(credential.setting().name()));
        let kept = kept.map(text).filter(|text| !text.is_empty());
        Ok(kept.map(|text| Values::read(credential, &text)).transpose()?)
    }

    /// Replaces the values of a credential and leaves everything else as it is. Fails if the secret has been changed
    /// since it was read.
    pub(super) async fn write(&self, credential: Credential, values: Vec<Value>) -> Result<(), CliError> {
        let Some(held) = self.secrets.get(&credential.family()) else {
            return Err(CliError::NoValue(credential.name()));
        };
        let mut content = held.content.clone();
        content.insert(credential.setting().name().to_owned(), values.into());
        let put = json!({
            "SecretId": held.id,
            "SecretString": Value::from(content).to_string(),
            "VersionStages": [NEXT],
            "ClientRequestToken": random_hex(),
        });
        let put = self.client.call_target::<SecretVersion>("PutSecretValue", &put).await;
        let put = put.map_err(|error| failed(&held.id, reason(&error)))?;
        // The label moves from the version that was read, or not at all.
        let update = json!({
            "SecretId": held.id,
            "VersionStage": CURRENT,
            "RemoveFromVersionId": held.version,
            "MoveToVersionId": put.version_id,
        });
        let moved = self.client.call_target::<IgnoredAny>("UpdateSecretVersionStage", &update).await;
        moved.map(drop).map_err(|error| match code(&error) {
            Some("InvalidParameterException") => CliError::SecretChanged,
            _ => failed(&held.id, reason(&error)),
        })
    }
}

impl Held {
    async fn read(client: &ServiceClient, id: String) -> Result<Self, CliError> {
        let input = json!({ "SecretId": id, "VersionStage": CURRENT });
        let read = client.call_target::<SecretVersion>("GetSecretValue", &input).await;
        let read = read.map_err(|error| failed(&id, reason(&error)))?;
        let text = read.secret_string.unwrap_or_default();
        let content = serde_json::from_str(text.expose_secret());
        Ok(Self {
            version: read.version_id,
            changed_at: read.created_date.and_then(whole_seconds),
            content: content.map_err(|_| failed(&id, "it is not a JSON object".to_owned()))?,
            id,
        })
    }
}

fn failed(id: &str, reason: String) -> CliError {
    CliError::Aws(format!("the secret {id}"), reason)
}

fn whole_seconds(since_1970: f64) -> Option<Timestamp> {
    let since_1970 = Duration::try_from_secs_f64(since_1970).ok()?;
    Some(Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).ok()?))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
