//! Counters: where integer ids come from.

use super::{Key, Store, StoreError, n, s};

impl Store {
    /// The next number of the counter with this name; the first is 1. A number is given once, and may be left unused.
    pub(super) async fn next_number(&self, counter: &str) -> Result<u64, StoreError> {
        let key = Key { pk: format!("COUNTER#{counter}"), sk: "COUNTER".to_owned() };
        let output = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(key.attributes()))
            .update_expression("SET #type = :type ADD #number :one")
            .expression_attribute_names("#type", "Type")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":type", s("Counter"))
            .expression_attribute_values(":one", n(1))
            .return_values(aws_sdk_dynamodb::types::ReturnValue::UpdatedNew)
            .send()
            .await?;
        let number = output.attributes.and_then(|attributes| attributes.get("number")?.as_n().ok()?.parse().ok());
        number.ok_or(StoreError::Contended)
    }
}
