//! The secret of a deployed stack, where its credentials are kept.

use aws_sdk_secretsmanager::Client;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use shared::{clock::Timestamp, store};

use super::{Credential, Values};
use crate::cli::{CliError, aws::Aws};

/// The label of the version that functions read.
const CURRENT: &str = "AWSCURRENT";
/// The label of a version that is yet to be read.
const NEXT: &str = "GREENROOM_NEXT";

/// A deployed secret, as it was read.
pub(crate) struct Keyring {
    client: Client,
    id: String,
    version: String,
    /// When this version was made.
    pub(crate) changed_at: Option<Timestamp>,
    content: Map<String, Value>,
}

impl Keyring {
    /// Reads the secret of this ARN or name.
    pub(crate) async fn read(aws: &Aws, id: &str) -> Result<Self, CliError> {
        let client = aws.secrets_manager();
        let failed = |reason| CliError::Aws("the secret".to_owned(), reason);
        let read = client.get_secret_value().secret_id(id).version_stage(CURRENT).send().await;
        let read = read.map_err(|error| failed(store::reason(&error)))?;
        let text = SecretString::from(read.secret_string.unwrap_or_default());
        let content = serde_json::from_str(text.expose_secret());
        Ok(Self {
            client,
            id: id.to_owned(),
            version: read.version_id.unwrap_or_default(),
            changed_at: read.created_date.map(|at| Timestamp::from_seconds(at.secs())),
            content: content.map_err(|_| failed("it is not a JSON object".to_owned()))?,
        })
    }

    /// All that it holds, as an environment has it.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        self.content.iter().map(|(name, value)| (name.clone(), text(value)))
    }

    /// The live values of a credential; `None` where it has none.
    pub(crate) fn values(&self, credential: Credential) -> Result<Option<Values>, CliError> {
        let kept = self.content.get(credential.setting().name()).map(text).filter(|text| !text.is_empty());
        Ok(kept.map(|text| Values::read(credential, &text)).transpose()?)
    }

    /// Gives a credential these values and leaves everything else as it is. It fails where the secret has been changed
    /// since it was read.
    pub(super) async fn write(&self, credential: Credential, values: Vec<Value>) -> Result<(), CliError> {
        let failed = |reason| CliError::Aws("the secret".to_owned(), reason);
        let mut content = self.content.clone();
        content.insert(credential.setting().name().to_owned(), values.into());
        let put = self.client.put_secret_value().secret_id(&self.id).version_stages(NEXT);
        let put = put.secret_string(Value::from(content).to_string()).send().await;
        let version = put.map_err(|error| failed(store::reason(&error)))?.version_id.unwrap_or_default();
        // The label moves from the version that was read, or not at all.
        let moved = self.client.update_secret_version_stage().secret_id(&self.id).version_stage(CURRENT);
        let moved = moved.remove_from_version_id(&self.version).move_to_version_id(version).send().await;
        moved.map(drop).map_err(|error| match error.as_service_error() {
            Some(refused) if refused.is_invalid_parameter_exception() => CliError::SecretChanged,
            _ => failed(store::reason(&error)),
        })
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
