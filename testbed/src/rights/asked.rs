//! The rights that a request to the table needs, in IAM's terms.

use std::collections::BTreeSet;

use serde_json::Value;

/// The actions that a request needs, and its partition keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The actions, without `dynamodb:`; for a transaction, the action of each part.
    pub actions: BTreeSet<String>,
    /// The partition keys; empty if they cannot be determined, which no role allows.
    pub keys: BTreeSet<String>,
    /// The pairs of an action and its key.
    pub pairs: BTreeSet<(String, String)>,
}

impl Asked {
    /// The rights that this operation with this body needs.
    #[must_use]
    pub fn of(operation: &str, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let parts = match operation {
            "TransactWriteItems" | "TransactGetItems" => parts(&body),
            "BatchGetItem" | "BatchWriteItem" => batch(operation, &body),
            "Query" => Some(vec![(operation.to_owned(), queried(&body))]),
            _ => Some(vec![(operation.to_owned(), key(&body))]),
        };
        // If one part has no key, no role allows the whole request.
        let pairs =
            parts.into_iter().flatten().map(|(action, key)| Some((action, key?))).collect::<Option<BTreeSet<_>>>();
        let pairs = pairs.unwrap_or_default();
        if pairs.is_empty() {
            return Self { actions: [operation.to_owned()].into(), ..Self::default() };
        }
        let (actions, keys) = pairs.iter().cloned().unzip();
        Self { actions, keys, pairs }
    }
}

/// The partition key of an item, or of a written item.
fn key(of: &Value) -> Option<String> {
    let item = ["Key", "Item"].iter().find_map(|name| of.get(name))?;
    partition_key(item)
}

fn partition_key(item: &Value) -> Option<String> {
    item["PK"]["S"].as_str().map(str::to_owned)
}

/// The actions and the keys of a transaction's parts; `None` if the body cannot be understood.
fn parts(body: &Value) -> Option<Vec<(String, Option<String>)>> {
    let parts = body["TransactItems"].as_array()?.iter().flat_map(|part| part.as_object().into_iter().flatten());
    let parts = parts.map(|(action, part)| (format!("{}Item", action.trim_end_matches("Item")), key(part)));
    Some(parts.collect())
}

/// The keys of a batch.
fn batch(operation: &str, body: &Value) -> Option<Vec<(String, Option<String>)>> {
    let tables = body["RequestItems"].as_object()?.values();
    let keys = tables.flat_map(|table| {
        let keys = table["Keys"].as_array().into_iter().flatten().map(partition_key);
        let writes = table.as_array().into_iter().flatten();
        let writes = writes.flat_map(|write| write.as_object().into_iter().flat_map(|write| write.values()).map(key));
        keys.chain(writes).collect::<Vec<_>>()
    });
    Some(keys.map(|key| (operation.to_owned(), key)).collect())
}

/// The partition that a query reads; `None` if it reads an index, or if its condition does not begin with the partition
/// key.
fn queried(body: &Value) -> Option<String> {
    if body.get("IndexName").is_some() {
        return None;
    }
    let condition = body["KeyConditionExpression"].as_str()?.strip_prefix("PK = ")?;
    let value = condition.split(' ').next()?;
    body["ExpressionAttributeValues"][value]["S"].as_str().map(str::to_owned)
}
