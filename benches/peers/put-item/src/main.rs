//! A function that does one `PutItem` of a small new item, and answers the nanoseconds that it took. The variable
//! `CALL` selects another operation: with `transaction` the put is one of the two items of a transaction, beside the
//! update of an existing item; with `batch` it is a batch of one; with `get` an item is read instead.
//!
//! The time is that of the SDK's call alone, which no function can do without.

use std::{
    collections::HashMap,
    env::VarError,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Put, PutRequest, TransactWriteItem, Update, WriteRequest},
};
use greenroom_aws::config;
use greenroom_core::config::{AwsEnvironment, Environment};
use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (client, table) = (client(), variable("TABLE_NAME")?);
    let count = AtomicU64::new(0);
    let (client, table, count) = (&client, table.as_str(), &count);
    let kind = variable("CALL").unwrap_or_default();
    let kind = kind.as_str();
    // The connection is opened during the start, as in the functions.
    put(client, table, u64::MAX).await?;
    run(service_fn(async |_: Request| {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let begun = Instant::now();
        match kind {
            "transaction" => put_in_transaction(client, table, number).await?,
            "batch" => put_in_batch(client, table, number).await?,
            "get" => get(client, table).await?,
            _ => put(client, table, number).await?,
        }
        Ok::<_, Error>(begun.elapsed().as_nanos().to_string())
    }))
    .await
}

async fn put(client: &Client, table: &str, number: u64) -> Result<(), Error> {
    client.put_item().table_name(table).set_item(Some(item(number))).send().await?;
    Ok(())
}

async fn put_in_transaction(client: &Client, table: &str, number: u64) -> Result<(), Error> {
    let put = Put::builder().table_name(table).set_item(Some(item(number))).build()?;
    let [(pk, _), (sk, _)] = key(u64::MAX);
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key(u64::MAX).map(|(name, value)| (name.to_owned(), value)).into()))
        .update_expression("SET expiresAt = :end ADD revision :one")
        .condition_expression(format!("attribute_exists({pk}) AND attribute_exists({sk})"))
        .expression_attribute_values(":end", AttributeValue::N("4102444800".to_owned()))
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .build()?;
    let items = [TransactWriteItem::builder().update(update).build(), TransactWriteItem::builder().put(put).build()];
    client.transact_write_items().set_transact_items(Some(items.into())).send().await?;
    Ok(())
}

async fn put_in_batch(client: &Client, table: &str, number: u64) -> Result<(), Error> {
    let put = PutRequest::builder().set_item(Some(item(number))).build()?;
    let puts = vec![WriteRequest::builder().put_request(put).build()];
    client.batch_write_item().request_items(table, puts).send().await?;
    Ok(())
}

async fn get(client: &Client, table: &str) -> Result<(), Error> {
    let key = key(u64::MAX).map(|(name, value)| (name.to_owned(), value)).into();
    client.get_item().table_name(table).set_key(Some(key)).consistent_read(true).send().await?;
    Ok(())
}

fn key(number: u64) -> [(&'static str, AttributeValue); 2] {
    let sk = format!("{}-{number:020}", std::process::id());
    [("PK", AttributeValue::S("BENCHMARK#put-item".to_owned())), ("SK", AttributeValue::S(sk))]
}

fn item(number: u64) -> HashMap<String, AttributeValue> {
    let s = |value: &str| AttributeValue::S(value.to_owned());
    let attributes = [
        ("Type", s("Benchmark")),
        ("role", s("PUBLISHER")),
        ("data", s("{\"name\":\"Ada\"}")),
        ("expiresAt", AttributeValue::N("4102444800".to_owned())),
    ];
    key(number).into_iter().chain(attributes).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// A client on the connections that the functions use, with the SDK's own retries.
fn client() -> Client {
    let environment = AwsEnvironment::read(&Environment::of_process(), "DYNAMODB");
    Client::from_conf(config(&environment).build())
}

#[expect(clippy::disallowed_methods, reason = "a peer has no `Config`; it reads its variables once, at start")]
fn variable(name: &str) -> Result<String, VarError> {
    std::env::var(name)
}
