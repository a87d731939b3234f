//! What operations consume by DynamoDB's rules. The embedded database follows the rules and counts everything.

use aws_sdk_dynamodb::types::{AttributeValue, Put, PutRequest, TransactWriteItem, WriteRequest};
use greenroom_telemetry::meter::{Usage, metered};

use crate::support::{TestApp, on_dynamodb_local};

type Item = std::collections::HashMap<String, AttributeValue>;

fn item(key: &str, bytes: usize) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [("PK".to_owned(), text(key)), ("SK".to_owned(), text(key)), ("text".to_owned(), text(&"x".repeat(bytes)))].into()
}

async fn units<T>(operation: impl Future<Output = T>) -> [f64; 2] {
    let (_, Usage { read_units, write_units, .. }) = metered(operation).await;
    [read_units, write_units]
}

fn assert_units(found: [f64; 2], due: [f64; 2], what: &str) {
    assert!((found[0] - due[0]).abs() + (found[1] - due[1]).abs() < 0.01, "{what}: {found:?} and not {due:?}");
}

#[tokio::test]
async fn single_operations_are_counted_by_size_even_when_refused() {
    if on_dynamodb_local() {
        return;
    }
    let app = TestApp::new().await;
    let (client, table) = (&app.client, &*app.table);
    for (key, bytes, write, read) in [("small", 100, 1.0, 1.0), ("a", 1500, 2.0, 1.0), ("b", 5000, 5.0, 2.0)] {
        let put = client.put_item().table_name(table).set_item(Some(item(key, bytes)));
        assert_units(units(Box::pin(put.send())).await, [0.0, write], key);
        let key_of = Some(item(key, 0).into_iter().filter(|(name, _)| name != "text").collect());
        let get = client.get_item().table_name(table).set_key(key_of).consistent_read(true);
        assert_units(units(Box::pin(get.send())).await, [read, 0.0], key);
    }
    let again = client.put_item().table_name(table).set_item(Some(item("small", 1)));
    let refused = again.condition_expression("attribute_not_exists(PK)");
    assert_units(units(Box::pin(refused.send())).await, [0.0, 1.0], "a refused write");
    let nothing = client.query().table_name(table).consistent_read(true).key_condition_expression("PK = :pk");
    let nothing = nothing.expression_attribute_values(":pk", AttributeValue::S("nobody".to_owned()));
    assert_units(units(Box::pin(nothing.send())).await, [1.0, 0.0], "nothing");
}

#[tokio::test]
async fn each_item_counts_twice_in_a_transaction_and_once_in_a_batch() {
    if on_dynamodb_local() {
        return;
    }
    let app = TestApp::new().await;
    let (client, table) = (&app.client, &*app.table);
    let transaction = |condition: Option<&str>| {
        let put = |key| {
            let put = Put::builder().table_name(table).set_item(Some(item(key, 100)));
            let put = put.set_condition_expression(condition.map(str::to_owned)).build().unwrap();
            TransactWriteItem::builder().put(put).build()
        };
        client.transact_write_items().transact_items(put("a")).transact_items(put("b"))
    };
    assert_units(units(Box::pin(transaction(None).send())).await, [0.0, 4.0], "a transaction");
    let refused = transaction(Some("attribute_not_exists(PK)"));
    assert_units(units(Box::pin(refused.send())).await, [0.0, 4.0], "a refused transaction");
    let put = |key, bytes| {
        let put = PutRequest::builder().set_item(Some(item(key, bytes))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    let batch = client.batch_write_item().request_items(table, vec![put("c", 100), put("d", 1500)]);
    assert_units(units(Box::pin(batch.send())).await, [0.0, 3.0], "a batch");
}
