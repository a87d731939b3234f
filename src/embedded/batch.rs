//! Batch writes as one transaction. dynoxide itself commits each item.

use std::collections::HashMap;

use dynoxide::{
    DynoxideError,
    actions::{
        batch_write_item::{BatchWriteItemRequest, BatchWriteItemResponse},
        transact_write_items::{TransactDelete, TransactPut, TransactWriteItem, TransactWriteItemsRequest},
    },
    types::ConsumedCapacity,
};

use super::{engine::Engine, puts};

/// Writes all of a batch.
pub(super) fn write(engine: &Engine, batch: BatchWriteItemRequest) -> Result<BatchWriteItemResponse, DynoxideError> {
    let batch = match puts::put(engine, batch)? {
        Ok(answer) => return Ok(answer),
        Err(batch) => batch,
    };
    let mut items = Vec::new();
    for (table, requests) in batch.request_items {
        for request in requests {
            let (put, delete) = (request.put_request, request.delete_request);
            let put = put.map(|put| TransactPut { table_name: table.clone(), item: put.item, ..Default::default() });
            let delete = delete.map(|delete| TransactDelete {
                table_name: table.clone(),
                key: delete.key,
                ..Default::default()
            });
            items.push(TransactWriteItem { put, delete, ..Default::default() });
        }
    }
    let answer = engine.transact(TransactWriteItemsRequest {
        transact_items: items,
        return_consumed_capacity: batch.return_consumed_capacity,
        ..Default::default()
    })?;
    let consumed = answer.consumed_capacity.map(|tables| tables.into_iter().map(halved).collect());
    Ok(BatchWriteItemResponse {
        unprocessed_items: HashMap::new(),
        consumed_capacity: consumed,
        item_collection_metrics: None,
    })
}

/// A batch consumes half of what a transaction would.
fn halved(consumed: ConsumedCapacity) -> ConsumedCapacity {
    ConsumedCapacity {
        table_name: consumed.table_name,
        capacity_units: consumed.capacity_units / 2.0,
        ..Default::default()
    }
}
