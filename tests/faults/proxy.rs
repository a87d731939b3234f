//! Tests of the proxy itself: the store's own rules say which faults are possible.

use std::time::Duration;

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    types::{AttributeValue, Put, TransactWriteItem},
};
use testbed::{
    Fault::{BrokenAfter, Conflicted},
    Plan,
};

use crate::bed::Bed;

/// Puts an item that may not exist yet, in one attempt. Returns the code if it is refused.
async fn put_once(client: &Client, table: &str, token: &str) -> Result<(), String> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = Put::builder()
        .table_name(table)
        .item("PK", text("PROXY"))
        .item("SK", text("PROXY"))
        .condition_expression("attribute_not_exists(PK)")
        .build()
        .unwrap();
    let put = client
        .transact_write_items()
        .client_request_token(token)
        .transact_items(TransactWriteItem::builder().put(put).build())
        .send()
        .await;
    put.map(drop).map_err(|error| error.code().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_retried_transaction_that_was_committed_meets_no_conflict() {
    let bed = Bed::with_long_timing().await;
    let (client, table) = bed.behind_the_proxy(1);
    bed.proxy.inject(Plan::always(BrokenAfter));
    let lost = put_once(&client, &table, "first").await;
    assert!(lost.is_err(), "{lost:?}");
    bed.proxy.inject(Plan::always(Conflicted));
    assert_eq!(put_once(&client, &table, "first").await, Ok(()));
    assert_eq!(put_once(&client, &table, "second").await, Err("TransactionCanceledException".to_owned()));
    bed.proxy.heal();
    bed.proxy.hold(Duration::from_millis(8));
    assert_eq!(put_once(&client, &table, "first").await, Ok(()));
    assert_eq!(put_once(&client, &table, "second").await, Err("TransactionCanceledException".to_owned()));
}
