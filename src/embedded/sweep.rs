//! Deleting expired items page by page, so that no operation waits for more than a page.

use std::sync::Arc;

use dynoxide::{
    AttributeValue, DynoxideError, Item,
    actions::{
        delete_item::{self, DeleteItemRequest},
        scan::{self, ScanRequest},
    },
};
use greenroom_core::clock::Clock;

use super::{
    Embedded, EmbeddedError,
    engine::{Engine, now},
};

/// The number of items on a page. Each expired one is deleted in a transaction of its own.
const PAGE: usize = 50;
/// The condition for deleting an item. An end that is not a number is no expiry.
const EXPIRED: &str = "#end < :now";

/// A table with a TTL attribute, and how far it has been looked through.
struct Sweep {
    table: String,
    end: String,
    keys: Vec<String>,
    now: String,
}

/// Deletes expired items from all tables. Returns their number.
pub(super) async fn sweep(embedded: &Embedded) -> Result<usize, EmbeddedError> {
    let now = Clock::system().now().seconds().to_string();
    let mut deleted = 0;
    for sweep in embedded.desk.run(false, move |engine| sweeps(engine, &now)).await?? {
        let sweep = Arc::new(sweep);
        let mut after = None;
        loop {
            let page = sweep.clone();
            let (of_page, next) = embedded.desk.run(true, move |engine| page.page(engine, after)).await??;
            deleted += of_page;
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(deleted)
}

/// The tables with a TTL attribute.
fn sweeps(engine: &Engine, now: &str) -> Result<Vec<Sweep>, DynoxideError> {
    let tables = engine.storage.list_ttl_enabled_tables()?.into_iter();
    let sweeps = tables.filter_map(|table| {
        let schema: serde_json::Value = serde_json::from_str(&table.key_schema).ok()?;
        let names = schema.as_array()?.iter().filter_map(|key| key["AttributeName"].as_str());
        let keys = names.map(str::to_owned).collect();
        Some(Sweep { table: table.table_name, end: table.ttl_attribute?, keys, now: now.to_owned() })
    });
    Ok(sweeps.collect())
}

impl Sweep {
    /// Deletes expired items on the page behind this key. Returns their number, and the key of the page's last item.
    fn page(&self, engine: &Engine, after: Option<Item>) -> Result<(usize, Option<Item>), DynoxideError> {
        let request = ScanRequest {
            table_name: self.table.clone(),
            filter_expression: Some(EXPIRED.to_owned()),
            expression_attribute_names: Some([("#end".to_owned(), self.end.clone())].into()),
            expression_attribute_values: Some([(":now".to_owned(), AttributeValue::N(self.now.clone()))].into()),
            limit: Some(PAGE),
            exclusive_start_key: after,
            ..Default::default()
        };
        let page = now(scan::execute(&engine.storage, request))?;
        let expired = page.items.unwrap_or_default();
        let deleted = expired.len();
        for item in expired {
            let key = item.into_iter().filter(|(name, _)| self.keys.contains(name)).collect();
            let request = DeleteItemRequest { table_name: self.table.clone(), key, ..Default::default() };
            now(delete_item::execute(&engine.storage, request))?;
        }
        Ok((deleted, page.last_evaluated_key))
    }
}
