//! Static API tokens, kept under their hashes.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};

use super::{Item, Key, Store, StoreError, shard};
use crate::{
    clock::Timestamp,
    model::{ApiToken, api_token::ApiTokenHash},
};

const KIND: &str = "APITOKENS";

fn key(hash: &str) -> Key {
    Key { pk: format!("{KIND}#{}", shard(hash)), sk: hash.to_owned() }
}

impl Store {
    /// The token with this hash.
    pub async fn api_token(&self, hash: &ApiTokenHash) -> Result<Option<ApiToken>, StoreError> {
        self.item(key(hash.as_str())).await
    }

    /// Keeps a new token under its hash, and numbers it. A transaction, so that an attempt that arrives late does not bring
    /// back a token that was deleted since.
    pub async fn insert_api_token(
        &self,
        hash: &ApiTokenHash,
        name: &str,
        mobile: bool,
        now: Timestamp,
    ) -> Result<ApiToken, StoreError> {
        let id = self.next_number("api-token").await?;
        let token = ApiToken { id, name: name.to_owned(), mobile, created_at: now };
        let item = Item { key: key(hash.as_str()), kind: "ApiToken", entity: &token }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        self.transact(vec![TransactWriteItem::builder().put(put).build()]).await?;
        Ok(token)
    }

    /// All tokens, by id.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let mut tokens: Vec<_> = self.api_tokens_by_hash().await?.into_iter().map(|(_, token)| token).collect();
        tokens.sort_by_key(|token| token.id);
        Ok(tokens)
    }

    /// Deletes the token with this id; `false` where there is none.
    pub async fn delete_api_token(&self, id: u64) -> Result<bool, StoreError> {
        let tokens = self.api_tokens_by_hash().await?;
        let Some((hash, _)) = tokens.into_iter().find(|(_, token)| token.id == id) else { return Ok(false) };
        self.client.delete_item().table_name(&*self.table).set_key(Some(key(&hash).attributes())).send().await?;
        Ok(true)
    }

    async fn api_tokens_by_hash(&self) -> Result<Vec<(String, ApiToken)>, StoreError> {
        let items = self.items_of_kind(KIND).await?;
        items
            .into_iter()
            .map(|item| {
                let hash = item.get("SK").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
                Ok((hash, serde_dynamo::from_item(item)?))
            })
            .collect()
    }
}
