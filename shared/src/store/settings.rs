//! What the table knows of itself, made by the first process that needs it.

use serde::{Deserialize, Serialize};

use super::{Item, Key, Store, StoreError, client::item_in_the_way};
use crate::id::DeviceKey;

fn key() -> Key {
    Key { pk: "SETTINGS".to_owned(), sk: "SETTINGS".to_owned() }
}

/// The key of the hashes that stand for identifiers lives beside what it hides: it keeps identifiers out of keys, which
/// surface in metrics and logs; whoever reads the table reads the identifiers too.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    device_key: DeviceKey,
}

impl Store {
    /// Reads one item, so that connection and TLS are up, and what it says is known, before the first request.
    pub async fn prime(&self) -> Result<(), StoreError> {
        if let Some(settings) = self.settings().await? {
            // Another task may have been faster; both read the same.
            let _ = self.device_key.set(settings.device_key);
        }
        Ok(())
    }

    /// The key of the hashes that stand for identifiers. Costs nothing once it is known.
    pub async fn device_key(&self) -> Result<&DeviceKey, StoreError> {
        self.device_key.get_or_try_init(|| self.read_or_make_device_key()).await
    }

    async fn read_or_make_device_key(&self) -> Result<DeviceKey, StoreError> {
        if let Some(settings) = self.settings().await? {
            return Ok(settings.device_key);
        }
        let settings = Settings { device_key: DeviceKey::random() };
        let put = self
            .client
            .put_item()
            .table_name(&*self.table)
            .set_item(Some(Item { key: key(), kind: "Settings", entity: &settings }.attributes()?))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        if let Err(error) = put {
            item_in_the_way(error)?;
            return self.settings().await?.map(|settings| settings.device_key).ok_or(StoreError::Contended);
        }
        Ok(settings.device_key)
    }

    async fn settings(&self) -> Result<Option<Settings>, StoreError> {
        self.item(key()).await
    }
}
