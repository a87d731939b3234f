//! What the table knows of itself, made by the first process that needs it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use serde::Deserialize;

use super::{Attributes, Key, Store, StoreError, client::item_in_the_way, n, s};
use crate::{clock::Timestamp, id::DeviceKey};

/// Begins the attributes that say when a credential was used last, and for the first time.
const LAST: &str = "lastUsedAt/";
const FIRST: &str = "firstUsedAt/";

fn key() -> Key {
    Key { pk: "SETTINGS".to_owned(), sk: "SETTINGS".to_owned() }
}

/// What the table knows of itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key of the hashes that stand for identifiers lives beside what it hides: it keeps identifiers out of keys,
    /// which surface in metrics and logs; whoever reads the table reads the identifiers too.
    device_key: DeviceKey,
    /// When each value of a credential was used, by its fingerprint.
    pub uses: BTreeMap<String, CredentialUse>,
}

/// When a value of a credential was used, to the hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CredentialUse {
    /// For the first time.
    pub first: Timestamp,
    /// The last time.
    pub last: Timestamp,
}

impl Settings {
    /// What stands for a value of this setting in the table: nothing can be told from it but that it is the same one.
    #[must_use]
    pub fn fingerprint(&self, setting: &str, secret: &str) -> String {
        format!("{setting}/{}", self.device_key.fingerprint(setting, secret))
    }

    /// When this value of this setting was used; `None` where it was not, or not for long.
    #[must_use]
    pub fn use_of(&self, setting: &str, secret: &str) -> Option<CredentialUse> {
        self.uses.get(&self.fingerprint(setting, secret)).copied()
    }

    fn read(item: Attributes) -> Result<Self, StoreError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Own {
            device_key: DeviceKey,
        }
        let time = |value: &AttributeValue| Some(Timestamp::from_millis(value.as_n().ok()?.parse().ok()?));
        let uses = item.iter().filter_map(|(name, value)| {
            let (fingerprint, last) = (name.strip_prefix(LAST)?, time(value)?);
            let first = item.get(&format!("{FIRST}{fingerprint}")).and_then(time).unwrap_or(last);
            Some((fingerprint.to_owned(), CredentialUse { first, last }))
        });
        let uses = uses.collect();
        let Own { device_key } = serde_dynamo::from_item(item)?;
        Ok(Self { device_key, uses })
    }
}

impl Store {
    /// Reads one item, so that connection and TLS are up, and what it says is known, before the first request.
    pub async fn prime(&self) -> Result<(), StoreError> {
        if let Some(settings) = self.present_settings().await? {
            // Another task may have been faster; both read the same.
            let _ = self.settings.set(settings);
        }
        Ok(())
    }

    /// The key of the hashes that stand for identifiers. Costs nothing once it is known.
    pub async fn device_key(&self) -> Result<&DeviceKey, StoreError> {
        self.settings().await.map(|settings| &settings.device_key)
    }

    /// What the table knew of itself when this process asked first, made where there was nothing. Costs nothing once it
    /// is known.
    pub async fn settings(&self) -> Result<&Settings, StoreError> {
        self.settings.get_or_try_init(|| self.read_or_make_settings()).await
    }

    /// What the table knows of itself now; `None` where nothing has been asked of it yet.
    pub async fn present_settings(&self) -> Result<Option<Settings>, StoreError> {
        self.attributes(key()).await?.map(Settings::read).transpose()
    }

    /// Notes that a credential was used; the time is never moved back.
    pub async fn note_use(&self, fingerprint: &str, now: Timestamp) -> Result<(), StoreError> {
        let noted = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key().attributes()))
            .update_expression("SET #last = :now, #first = if_not_exists(#first, :now)")
            .condition_expression("attribute_exists(PK) AND (attribute_not_exists(#last) OR #last < :now)")
            .expression_attribute_names("#last", format!("{LAST}{fingerprint}"))
            .expression_attribute_names("#first", format!("{FIRST}{fingerprint}"))
            .expression_attribute_values(":now", n(now.millis()))
            .send()
            .await;
        // Somebody else was faster.
        noted.map(drop).or_else(|error| item_in_the_way(error).map(drop))
    }

    /// Drops a use that nobody has repeated since.
    pub(crate) async fn forget_use(&self, fingerprint: &str, since: Timestamp) -> Result<(), StoreError> {
        let forgotten = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key().attributes()))
            .update_expression("REMOVE #last, #first")
            .condition_expression("#last < :since")
            .expression_attribute_names("#last", format!("{LAST}{fingerprint}"))
            .expression_attribute_names("#first", format!("{FIRST}{fingerprint}"))
            .expression_attribute_values(":since", n(since.millis()))
            .send()
            .await;
        forgotten.map(drop).or_else(|error| item_in_the_way(error).map(drop))
    }

    async fn read_or_make_settings(&self) -> Result<Settings, StoreError> {
        if let Some(settings) = self.present_settings().await? {
            return Ok(settings);
        }
        let device_key = serde_dynamo::to_attribute_value(DeviceKey::random())?;
        // Whoever comes second gets what the first one made.
        let made = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key().attributes()))
            .update_expression("SET deviceKey = if_not_exists(deviceKey, :key), #type = :type")
            .expression_attribute_names("#type", "Type")
            .expression_attribute_values(":key", device_key)
            .expression_attribute_values(":type", s("Settings"))
            .return_values(ReturnValue::AllNew)
            .send()
            .await?;
        Settings::read(made.attributes.ok_or(StoreError::Contended)?)
    }
}
