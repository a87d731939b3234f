//! The table, as `template.yaml` declares it. It is made in an embedded database or an emulator that does not have it.

use aws_sdk_dynamodb::{
    Client,
    operation::{create_table::CreateTableError, describe_table::DescribeTableError},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use greenroom_store::StoreError;

/// The attributes of an item's key, which are texts. `tests/template` compares them with `template.yaml`.
pub const KEY: [(&str, KeyType); 2] = [("PK", KeyType::Hash), ("SK", KeyType::Range)];
/// The attribute that holds when an item expires.
pub const TTL: &str = "expiresAt";

/// Why no table can be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// There is none with this name, and none may be made.
    #[error("there is no such table; deploy the template, or name another with TABLE_NAME")]
    Missing,
    /// DynamoDB did not answer, or refused the request.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Checks that a table exists. Makes it if it does not and `create` is set.
///
/// # Errors
/// [`TableError`].
pub async fn ensure(client: &Client, name: &str, create: bool) -> Result<(), TableError> {
    match client.describe_table().table_name(name).send().await {
        Ok(_) => return Ok(()),
        Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => {}
        Err(error) => return Err(StoreError::from(error).into()),
    }
    if !create {
        return Err(TableError::Missing);
    }
    let mut table = client.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (attribute, kind) in KEY {
        let text = AttributeDefinition::builder().attribute_name(attribute).attribute_type(ScalarAttributeType::S);
        let part = KeySchemaElement::builder().attribute_name(attribute).key_type(kind);
        table = table
            .attribute_definitions(text.build().map_err(StoreError::from)?)
            .key_schema(part.build().map_err(StoreError::from)?);
    }
    if let Err(error) = table.send().await
        // Another process made it, or an earlier attempt did and its answer was lost.
        && !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception)
    {
        return Err(StoreError::from(error).into());
    }
    let ttl = TimeToLiveSpecification::builder().attribute_name(TTL).enabled(true).build();
    let update = client.update_time_to_live().table_name(name);
    let update = update.time_to_live_specification(ttl.map_err(StoreError::from)?);
    if let Err(error) = update.send().await
        && !is_enabled(client, name).await?
    {
        return Err(StoreError::from(error).into());
    }
    Ok(())
}

/// Whether the table deletes expired items already. Asking for that a second time is an error.
async fn is_enabled(client: &Client, name: &str) -> Result<bool, StoreError> {
    let ttl = client.describe_time_to_live().table_name(name).send().await?.time_to_live_description;
    let status = ttl.and_then(|ttl| ttl.time_to_live_status);
    Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
}
