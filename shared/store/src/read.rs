//! Reads: an item by its key, many items by theirs, and a query of a partition. All of them are strongly consistent.

use aws_sdk_dynamodb::{
    operation::query::builders::QueryFluentBuilder,
    types::{KeysAndAttributes, Select},
};
use futures_util::future::try_join_all;
use greenroom_core::clock::Timestamp;
use serde::de::DeserializeOwned;

use super::{Attributes, Key, SHARDS, Store, StoreError, attempts::Attempts, n, s};

/// The largest number of items in a batch read.
pub(super) const BATCH_MAX: usize = 100;

/// A query of a partition. It reads all of the items, ordered by sort key, unless it says otherwise.
#[must_use]
pub(super) struct Query(QueryFluentBuilder);

/// The answer to one request of a query.
pub(super) struct Answer {
    /// At most 1 MB of items.
    pub(super) items: Vec<Attributes>,
    /// The key behind which the query goes on; `None` if the items are all.
    pub(super) next: Option<Attributes>,
}

impl Query {
    /// Only items whose sort keys begin with this prefix.
    pub(super) fn prefix(self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        // An empty key value is not allowed, and every sort key begins with an empty prefix.
        if prefix.is_empty() { self } else { self.keys("PK = :pk AND begins_with(SK, :prefix)", [(":prefix", prefix)]) }
    }

    /// Only this sort key and later ones.
    pub(super) fn from(self, first: impl Into<String>) -> Self {
        self.keys("PK = :pk AND SK >= :first", [(":first", first.into())])
    }

    /// Only later sort keys.
    pub(super) fn after(self, last: impl Into<String>) -> Self {
        self.keys("PK = :pk AND SK > :after", [(":after", last.into())])
    }

    /// Only earlier sort keys.
    pub(super) fn before(self, first: impl Into<String>) -> Self {
        self.keys("PK = :pk AND SK < :first", [(":first", first.into())])
    }

    /// Only sort keys from the one to the other.
    pub(super) fn between(self, first: impl Into<String>, last: impl Into<String>) -> Self {
        self.keys("PK = :pk AND SK BETWEEN :first AND :last", [(":first", first.into()), (":last", last.into())])
    }

    fn keys<const N: usize>(self, condition: &str, values: [(&str, String); N]) -> Self {
        let query = self.0.key_condition_expression(condition);
        Self(values.into_iter().fold(query, |query, (name, value)| query.expression_attribute_values(name, s(value))))
    }

    /// The last sort key first.
    pub(super) fn backwards(self) -> Self {
        Self(self.0.scan_index_forward(false))
    }

    /// At most this many items in the answer to a request.
    pub(super) fn limit(self, items: usize) -> Self {
        Self(self.0.limit(i32::try_from(items).unwrap_or(i32::MAX)))
    }

    /// Goes on where an earlier answer ended.
    pub(super) fn behind(self, key: Option<Attributes>) -> Self {
        Self(self.0.set_exclusive_start_key(key))
    }

    /// Only these attributes of the items.
    pub(super) fn only(self, attributes: &str) -> Self {
        Self(self.0.projection_expression(attributes))
    }

    /// The attribute that a name in the expressions is for.
    pub(super) fn name(self, name: &str, attribute: &str) -> Self {
        Self(self.0.expression_attribute_names(name, attribute))
    }

    /// Without items that have expired. DynamoDB deletes them late.
    pub(super) fn unexpired(self, now: Timestamp) -> Self {
        let query = self.0.filter_expression("expiresAt > :now");
        Self(query.expression_attribute_values(":now", n(now.seconds())))
    }

    /// One request.
    pub(super) async fn send(self) -> Result<Answer, StoreError> {
        let output = self.0.send().await?;
        Ok(Answer { items: output.items.unwrap_or_default(), next: output.last_evaluated_key })
    }

    /// All items. Paginates.
    pub(super) async fn all(self) -> Result<Vec<Attributes>, StoreError> {
        Ok(self.0.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }

    /// The first item. Paginates, because a filter may leave nothing of an answer.
    pub(super) async fn first(self) -> Result<Option<Attributes>, StoreError> {
        Ok(self.0.into_paginator().items().send().try_next().await?)
    }

    /// The number of items. One request.
    pub(super) async fn count(self) -> Result<usize, StoreError> {
        Ok(usize::try_from(self.0.select(Select::Count).send().await?.count).unwrap_or(0))
    }
}

impl Store {
    /// Reads one item.
    pub(super) async fn item<T: DeserializeOwned>(&self, key: Key) -> Result<Option<T>, StoreError> {
        Ok(self.attributes(key).await?.map(serde_dynamo::from_item).transpose()?)
    }

    /// Reads the attributes of one item.
    pub(super) async fn attributes(&self, key: Key) -> Result<Option<Attributes>, StoreError> {
        let get = self.client.get_item().table_name(&*self.table).set_key(Some(key.attributes()));
        Ok(get.consistent_read(true).send().await?.item)
    }

    /// A query of this partition.
    pub(super) fn query(&self, pk: impl Into<String>) -> Query {
        let query = self.client.query().table_name(&*self.table).consistent_read(true);
        Query(query.key_condition_expression("PK = :pk").expression_attribute_values(":pk", s(pk)))
    }

    /// Reads all items of a kind from all of its shards. The name of a partition is `kind` followed by the number of
    /// the shard.
    pub(super) async fn items_of_kind(&self, kind: &str) -> Result<Vec<Attributes>, StoreError> {
        let shards = (0..SHARDS).map(|shard| self.query(format!("{kind}#{shard}")).all());
        Ok(try_join_all(shards).await?.into_iter().flatten().collect())
    }

    /// The existing items among these keys, in no order. One request for every 100 keys, in parallel.
    pub(super) async fn batch(&self, keys: Vec<Attributes>) -> Result<Vec<Attributes>, StoreError> {
        let batches = keys.chunks(BATCH_MAX).map(|keys| self.one_batch(keys.to_vec()));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn one_batch(&self, mut keys: Vec<Attributes>) -> Result<Vec<Attributes>, StoreError> {
        let mut items = Vec::new();
        let mut attempts = Attempts::default();
        loop {
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
            let output = self.client.batch_get_item().request_items(&*self.table, asked).send().await?;
            items.extend(output.responses.unwrap_or_default().into_values().flatten());
            let left = output.unprocessed_keys.unwrap_or_default().into_values().next();
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
            attempts.lost().await?;
        }
    }
}
