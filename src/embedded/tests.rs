//! The embedded database, tested through the SDK.

use aws_sdk_dynamodb::{
    Client,
    error::ProvideErrorMetadata,
    primitives::Blob,
    types::{AttributeValue, PutRequest, ReturnConsumedCapacity, WriteRequest},
};

use super::{Embedded, values::Attributes};

const TABLE: &str = "table";

async fn table() -> (Embedded, Client) {
    let embedded = Embedded::memory().unwrap();
    embedded.create_table(TABLE).await.unwrap();
    let client = embedded.direct_client();
    (embedded, client)
}

fn s(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn item(sk: &str, more: &[(&str, AttributeValue)]) -> Attributes {
    let key = [("PK", s("LIST")), ("SK", s(sk))];
    key.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// Puts these items in a batch. Returns the consumed units, or the error's code.
async fn put(client: &Client, items: &[Attributes]) -> Result<f64, String> {
    let writes = items.iter().map(|item| {
        let put = PutRequest::builder().set_item(Some(item.clone())).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    });
    let batch = client.batch_write_item().request_items(TABLE, writes.collect());
    let batch = batch.return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
    let output = batch.map_err(|error| error.code().unwrap_or_default().to_owned())?;
    Ok(output.consumed_capacity()[0].capacity_units.unwrap())
}

#[tokio::test]
async fn a_batch_puts_items_as_they_are_and_consumes_what_the_larger_ones_take() {
    let (_embedded, client) = table().await;
    let set = AttributeValue::Ss(vec!["a".to_owned(), "b".to_owned()]);
    let all = item(
        "1",
        &[("set", set), ("bytes", AttributeValue::B(Blob::new(*b"bytes"))), ("n", AttributeValue::N("1.5".to_owned()))],
    );
    let long = item("2", &[("text", s(&"x".repeat(2500)))]);
    assert_eq!(put(&client, &[all.clone(), long]).await, Ok(1.0 + 3.0));
    assert_eq!(put(&client, &[item("2", &[])]).await, Ok(3.0));

    let query = client.query().table_name(TABLE).key_condition_expression("PK = :pk");
    let found = query.expression_attribute_values(":pk", s("LIST")).send().await.unwrap();
    assert_eq!(found.items(), [all, item("2", &[])]);
}

#[tokio::test]
async fn a_batch_that_is_refused_puts_nothing() {
    let (_embedded, client) = table().await;
    let refused = [
        vec![item("1", &[]), item("", &[])],
        vec![item("1", &[]), item("1", &[])],
        vec![item("1", &[]), item("2", &[("n", AttributeValue::N("one".to_owned()))])],
        vec![item("1", &[]), item("2", &[("text", s(&"x".repeat(400 * 1024)))])],
    ];
    for items in refused {
        assert!(put(&client, &items).await.is_err());
    }
    let scan = client.scan().table_name(TABLE).send().await.unwrap();
    assert_eq!(scan.items(), []);
}

#[tokio::test]
async fn a_sweep_deletes_what_has_expired_and_nothing_else() {
    let (embedded, client) = table().await;
    let ends = |sk: String, end: &str| item(&sk, &[("expiresAt", AttributeValue::N(end.to_owned()))]);
    // They are more than one page.
    for page in 0..4 {
        let expired: Vec<_> = (0..25).map(|number| ends(format!("{page}-{number}"), "1000")).collect();
        put(&client, &expired).await.unwrap();
    }
    let stay = [ends("later".to_owned(), "99999999999"), item("never", &[]), item("text", &[("expiresAt", s("1000"))])];
    put(&client, &stay).await.unwrap();
    assert_eq!(embedded.sweep().await.unwrap(), 100);
    assert_eq!(client.scan().table_name(TABLE).send().await.unwrap().count(), 3);
    assert_eq!(embedded.sweep().await.unwrap(), 0);
}
