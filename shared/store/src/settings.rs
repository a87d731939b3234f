//! The Settings item: what the deployment keeps for itself. The first process that needs it makes it.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use greenroom_core::{clock::Timestamp, id::DeviceKey};
use serde::Deserialize;

use super::{Attributes, Key, Store, StoreError, n, s, write::Write};

/// The prefix of the attributes that say when a credential was first and last used.
const LAST: &str = "lastUsedAt/";
const FIRST: &str = "firstUsedAt/";

fn key() -> Key {
    Key { pk: "SETTINGS".to_owned(), sk: "SETTINGS".to_owned() }
}

/// The Settings item.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The key of the hashes of identifiers. It lies in the same table as the identifiers. It keeps them out of keys,
    /// which surface in metrics and logs; it does not hide them from a reader of the table.
    device_key: DeviceKey,
    /// When each value of a credential was used, by the value's fingerprint.
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
    /// The fingerprint of a value of this setting. It tells only whether two values are the same.
    #[must_use]
    pub fn fingerprint(&self, setting: &str, secret: &str) -> String {
        format!("{setting}/{}", self.device_key.fingerprint(setting, secret))
    }

    /// When this value of this setting was used. `None` if it was not, or not within the time that uses are kept.
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
    /// Reads the Settings item. So the connection with its TLS is open, and the settings are known, before the first
    /// request.
    pub async fn prime(&self) -> Result<(), StoreError> {
        if let Some(settings) = self.present_settings().await? {
            // Another task may have read it first. Both read the same.
            let _ = self.settings.set(settings);
        }
        Ok(())
    }

    /// The key of the hashes of identifiers. Costs nothing once it is known.
    pub async fn device_key(&self) -> Result<&DeviceKey, StoreError> {
        self.settings().await.map(|settings| &settings.device_key)
    }

    /// The Settings item as this process first read it. Makes it if there is none. Costs nothing once it is known.
    pub async fn settings(&self) -> Result<&Settings, StoreError> {
        self.settings.get_or_try_init(|| self.read_or_make_settings()).await
    }

    /// The Settings item as it is now. `None` if no process has made it yet.
    pub async fn present_settings(&self) -> Result<Option<Settings>, StoreError> {
        self.attributes(key()).await?.map(Settings::read).transpose()
    }

    /// Notes that a credential was used. The time is never moved back.
    pub async fn note_use(&self, fingerprint: &str, now: Timestamp) -> Result<(), StoreError> {
        let noting = of_use(fingerprint, "SET #last = :now, #first = if_not_exists(#first, :now)")
            .when("attribute_exists(PK) AND (attribute_not_exists(#last) OR #last < :now)")
            .value(":now", n(now.millis()));
        // The condition fails if another instance noted a later time.
        self.write(noting).await.map(drop)
    }

    /// Drops a use that was not repeated after `since`.
    pub async fn forget_use(&self, fingerprint: &str, since: Timestamp) -> Result<(), StoreError> {
        let forgetting = of_use(fingerprint, "REMOVE #last, #first").when("#last < :since");
        self.write(forgetting.value(":since", n(since.millis()))).await.map(drop)
    }

    async fn read_or_make_settings(&self) -> Result<Settings, StoreError> {
        if let Some(settings) = self.present_settings().await? {
            return Ok(settings);
        }
        let device_key = serde_dynamo::to_attribute_value(DeviceKey::random())?;
        // If two processes make it at once, both get what the first one wrote.
        let making = Write::update(key(), "SET deviceKey = if_not_exists(deviceKey, :key), #type = :type")
            .name("#type", "Type")
            .value(":key", device_key)
            .value(":type", s("Settings"))
            .returning(ReturnValue::AllNew);
        Settings::read(self.write(making).await?.unwrap_or_default())
    }
}

/// An update of when the value with this fingerprint was used.
fn of_use(fingerprint: &str, update: &str) -> Write {
    Write::update(key(), update)
        .name("#last", format!("{LAST}{fingerprint}"))
        .name("#first", format!("{FIRST}{fingerprint}"))
}
