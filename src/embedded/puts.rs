//! Batches that only put items into a table without indexes, as one transaction of prepared statements. Joining does
//! this, and most batches are of this kind.

use dynoxide::{
    AttributeValue, DynoxideError, Item,
    actions::batch_write_item::{BatchWriteItemRequest, BatchWriteItemResponse},
    storage::{TableMetadata, compute_hash_prefix},
    storage_backend::BaseItemRow,
    types::{ConsumedCapacity, MAX_ITEM_SIZE, item_size, table_write_capacity_units},
    validation::{normalize_item_sets, validate_item_attribute_values},
};
use rusqlite::OptionalExtension;
use serde_json::Value;

use super::engine::Engine;

/// The largest number of items in a batch.
const BATCH_MAX: usize = 25;

/// Puts all items of a batch. Returns any other batch unchanged, and also one that has to be refused, because dynoxide
/// has the error messages.
pub(super) fn put(
    engine: &Engine,
    batch: BatchWriteItemRequest,
) -> Result<Result<BatchWriteItemResponse, BatchWriteItemRequest>, DynoxideError> {
    let Some((table, rows)) = rows(engine, &batch)? else { return Ok(Err(batch)) };
    let units = write(engine, table, &rows)?;
    let consumed = batch
        .return_consumed_capacity
        .is_some()
        .then(|| vec![ConsumedCapacity { table_name: table.clone(), capacity_units: units, ..Default::default() }]);
    Ok(Ok(BatchWriteItemResponse { consumed_capacity: consumed, ..Default::default() }))
}

/// The rows of a batch that only puts items.
fn rows<'b>(
    engine: &Engine,
    batch: &'b BatchWriteItemRequest,
) -> Result<Option<(&'b String, Vec<BaseItemRow>)>, DynoxideError> {
    let mut tables = batch.request_items.iter();
    let (Some((table, requests)), None) = (tables.next(), tables.next()) else { return Ok(None) };
    let is_known = matches!(batch.return_consumed_capacity.as_deref(), None | Some("NONE" | "TOTAL"));
    if !is_known || requests.is_empty() || requests.len() > BATCH_MAX {
        return Ok(None);
    }
    let Some([pk, sk]) = engine.storage.get_table_metadata(table)?.and_then(|metadata| text_keys(&metadata)) else {
        return Ok(None);
    };
    let mut rows: Vec<BaseItemRow> = Vec::with_capacity(requests.len());
    for request in requests {
        let (Some(put), None) = (&request.put_request, &request.delete_request) else { return Ok(None) };
        let Some(row) = row(&put.item, &pk, &sk)? else { return Ok(None) };
        if rows.iter().any(|other| other.pk == row.pk && other.sk == row.sk) {
            return Ok(None);
        }
        rows.push(row);
    }
    Ok(Some((table, rows)))
}

/// The names of a table's partition key and sort key, if both are texts and writing an item writes nothing else.
fn text_keys(metadata: &TableMetadata) -> Option<[String; 2]> {
    let has = |definitions: &Option<String>| definitions.as_ref().is_some_and(|definitions| definitions != "[]");
    let indexes = [&metadata.gsi_definitions, &metadata.lsi_definitions, &metadata.vector_index_definitions];
    if metadata.stream_enabled || indexes.into_iter().any(has) {
        return None;
    }
    let schema: Value = serde_json::from_str(&metadata.key_schema).ok()?;
    let definitions: Value = serde_json::from_str(&metadata.attribute_definitions).ok()?;
    let name = |kind: &str| {
        let key = schema.as_array()?.iter().find(|key| key["KeyType"] == kind)?;
        let name = key["AttributeName"].as_str()?;
        let definition = definitions.as_array()?.iter().find(|definition| definition["AttributeName"] == name)?;
        (definition["AttributeType"] == "S").then(|| name.to_owned())
    };
    Some([name("HASH")?, name("RANGE")?])
}

/// An item as a row of the file. `None` if it has to be refused.
fn row(item: &Item, pk: &str, sk: &str) -> Result<Option<BaseItemRow>, DynoxideError> {
    let key = |name: &str| match item.get(name) {
        // Longer sort keys are refused.
        Some(value @ AttributeValue::S(text)) if !text.is_empty() && text.len() <= 1024 => Some(value),
        _ => None,
    };
    let (Some(partition), Some(sort)) = (key(pk), key(sk)) else { return Ok(None) };
    let is_whole = !item.keys().any(String::is_empty) && validate_item_attribute_values(item).is_ok();
    let size = item_size(item);
    let (Some(pk), Some(sk), true) =
        (partition.to_key_string(), sort.to_key_string(), is_whole && size <= MAX_ITEM_SIZE)
    else {
        return Ok(None);
    };
    let hash_prefix = compute_hash_prefix(partition);
    let has_sets = item.values().any(|value| !value.is_scalar());
    let json = if has_sets {
        let mut item = item.clone();
        normalize_item_sets(&mut item);
        serde_json::to_string(&item)
    } else {
        serde_json::to_string(item)
    };
    let item_json = json.map_err(|error| DynoxideError::InternalServerError(error.to_string()))?;
    Ok(Some(BaseItemRow { pk, sk, item_json, item_size: size, cached_at: None, hash_prefix }))
}

/// Writes all rows or none. Returns the consumed units.
fn write(engine: &Engine, table: &str, rows: &[BaseItemRow]) -> Result<f64, DynoxideError> {
    engine.storage.begin_transaction()?;
    let written = consumed(engine, table, rows)
        .and_then(|units| engine.storage.put_base_items(table, rows).map(|()| units))
        .and_then(|units| engine.storage.commit().map(|()| units));
    if written.is_err() {
        // SQLite may have ended the transaction itself, for example on a full disk. Then there is nothing to roll back.
        let _ = engine.storage.rollback();
    }
    written
}

/// The consumed units. For each item the larger of the old and the new version counts.
fn consumed(engine: &Engine, table: &str, rows: &[BaseItemRow]) -> Result<f64, DynoxideError> {
    let select = format!("SELECT item_size FROM \"{}\" WHERE pk = ?1 AND sk = ?2", table.replace('"', "\"\""));
    let mut select = engine.storage.conn().prepare_cached(&select)?;
    let mut units = 0.0;
    for row in rows {
        let old: Option<usize> = select.query_row([&row.pk, &row.sk], |row| row.get(0)).optional()?;
        units += table_write_capacity_units(old, Some(row.item_size));
    }
    Ok(units)
}
