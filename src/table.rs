//! The table that `template.yaml` declares. It is made in an embedded database or an emulator that does not have it.

use aws_sdk_dynamodb::{
    Client,
    operation::{create_table::CreateTableError, describe_table::DescribeTableError},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
        TimeToLiveStatus,
    },
};
use greenroom_store::StoreError;
use serde::Deserialize;

/// The template that declares the table.
const TEMPLATE: &str = include_str!("../template.yaml");

/// Why no table can be used.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// There is none with this name, and none may be made.
    #[error("there is no such table; deploy the template, or name another with TABLE_NAME")]
    Missing,
    /// DynamoDB did not answer, or refused the request.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// `template.yaml` does not declare a table that can be made.
    #[error("template.yaml declares no table")]
    Template,
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
    let declared = declared()?;
    let mut table = client.create_table().table_name(name).billing_mode(BillingMode::from(&*declared.billing_mode));
    for attribute in declared.attribute_definitions {
        let kind = ScalarAttributeType::from(&*attribute.attribute_type);
        let built = AttributeDefinition::builder().attribute_name(attribute.attribute_name).attribute_type(kind);
        table = table.attribute_definitions(built.build().map_err(|_| TableError::Template)?);
    }
    for key in declared.key_schema {
        let built = KeySchemaElement::builder().attribute_name(key.attribute_name);
        let built = built.key_type(KeyType::from(&*key.key_type)).build();
        table = table.key_schema(built.map_err(|_| TableError::Template)?);
    }
    if let Err(error) = table.send().await
        // Another process made it, or an earlier attempt did and its answer was lost.
        && !error.as_service_error().is_some_and(CreateTableError::is_resource_in_use_exception)
    {
        return Err(StoreError::from(error).into());
    }
    let ttl = declared.time_to_live_specification;
    let ttl = TimeToLiveSpecification::builder().attribute_name(ttl.attribute_name).enabled(ttl.enabled).build();
    let update = client.update_time_to_live().table_name(name);
    let update = update.time_to_live_specification(ttl.map_err(|_| TableError::Template)?);
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

/// The attributes of an item's key, and the TTL attribute, as `template.yaml` declares them.
pub(crate) fn declared_attributes() -> Result<(Vec<String>, String), TableError> {
    let declared = declared()?;
    let key = declared.key_schema.into_iter().map(|key| key.attribute_name);
    Ok((key.collect(), declared.time_to_live_specification.attribute_name))
}

fn declared() -> Result<Table, TableError> {
    let template: serde_yaml_ng::Value = serde_yaml_ng::from_str(TEMPLATE).map_err(|_| TableError::Template)?;
    let table = template["Resources"]["Table"]["Properties"].clone();
    serde_yaml_ng::from_value(table).map_err(|_| TableError::Template)
}

/// The part of the table's declaration that is read.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Table {
    billing_mode: String,
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    time_to_live_specification: Ttl,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ttl {
    attribute_name: String,
    enabled: bool,
}
