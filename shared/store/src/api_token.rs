//! Static API tokens. A token lies under its hash, where a request finds it, and under its number, where a list finds
//! it.

use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem};
use greenroom_core::{
    clock::Timestamp,
    id::hex,
    model::{ApiToken, api_token::ApiTokenHash},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{
    Attributes, Item, Key, Store, StoreError, counter::Counter, error::item_in_the_way, n, shard,
    transaction::Committed,
};

const KIND: &str = "APITOKENS";
/// The number of tokens from an earlier version that one transaction puts under their numbers. Each takes two items.
const PLACED_AT_ONCE: usize = 40;

fn key(hash: &str) -> Key {
    Key { pk: format!("{KIND}#{}", shard(hash)), sk: hash.to_owned() }
}

/// The key of the item that keeps a token's name unique. Names are hashed, because keys surface in metrics and logs.
fn name_key(name: &str) -> Key {
    Key { pk: format!("{KIND}#NAME#{}", hex(&Sha256::digest(name.as_bytes()))), sk: "NAME".to_owned() }
}

fn number_key(id: u64) -> Key {
    Key { pk: format!("{KIND}#NUMBER#{id}"), sk: "NUMBER".to_owned() }
}

/// The number of the token that has a name.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NameOwner {
    token_id: u64,
}

/// A token as it lies under its number.
#[derive(Serialize, Deserialize)]
struct Numbered {
    hash: String,
    #[serde(flatten)]
    token: ApiToken,
}

impl Numbered {
    fn item(&self) -> Result<Attributes, StoreError> {
        Item { key: number_key(self.token.id), kind: "ApiTokenNumber", entity: self }.attributes()
    }
}

/// Another token has this name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameTaken;

impl Store {
    /// The token with this hash.
    pub async fn api_token(&self, hash: &ApiTokenHash) -> Result<Option<ApiToken>, StoreError> {
        self.item(key(hash.as_str())).await
    }

    /// Stores a new token under its hash and gives it a number. Fails if another token has its name. This is a
    /// transaction, so an attempt that arrives late cannot bring back a token that was deleted since.
    pub async fn insert_api_token(
        &self,
        hash: &ApiTokenHash,
        name: &str,
        mobile: bool,
        now: Timestamp,
    ) -> Result<Result<ApiToken, NameTaken>, StoreError> {
        let id = self.next_number(Counter::ApiToken).await?;
        let token = ApiToken { id, name: name.to_owned(), mobile, created_at: now };
        let item = Item { key: key(hash.as_str()), kind: "ApiToken", entity: &token }.attributes()?;
        let numbered = Numbered { hash: hash.as_str().to_owned(), token };
        let owner = NameOwner { token_id: id };
        let owner = Item { key: name_key(name), kind: "ApiTokenName", entity: &owner }.attributes()?;
        let put = |item| Put::builder().table_name(&*self.table).set_item(Some(item));
        let puts = [
            put(item).build()?,
            put(numbered.item()?).build()?,
            put(owner).condition_expression("attribute_not_exists(PK)").build()?,
        ];
        let writes = puts.map(|put| TransactWriteItem::builder().put(put).build());
        Ok(match self.transact(writes.into()).await? {
            Committed::Yes => Ok(numbered.token),
            Committed::No(_) => Err(NameTaken),
        })
    }

    /// All tokens, ordered by id.
    ///
    /// One request where few tokens were ever made. Tokens of an earlier version are put under their numbers first.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let tokens = match self.all_numbered(Counter::ApiToken, number_key).await? {
            Some((said, items)) if said.all_placed() => serde_dynamo::from_items(items)?,
            Some((said, _)) => self.place_api_tokens(said.number).await?,
            None => self.api_tokens_by_hash().await?,
        };
        let mut tokens: Vec<_> = tokens.into_iter().map(|numbered: Numbered| numbered.token).collect();
        tokens.sort_by_key(|token| token.id);
        Ok(tokens)
    }

    /// Deletes the token with this id; `false` where there is none.
    ///
    /// Two requests, the second a transaction.
    pub async fn delete_api_token(&self, id: u64) -> Result<bool, StoreError> {
        let Some(Numbered { hash, token }) = self.numbered_api_token(id).await? else { return Ok(false) };
        let delete = |key: Key| Delete::builder().table_name(&*self.table).set_key(Some(key.attributes()));
        let gone = [delete(key(&hash)).build()?, delete(number_key(id)).build()?];
        // A token from before names were unique owns no name, and another token may have it.
        let free = delete(name_key(&token.name)).condition_expression("attribute_not_exists(PK) OR tokenId = :id");
        let free = free.expression_attribute_values(":id", AttributeValue::N(id.to_string())).build()?;
        let items = |deletes: Vec<Delete>| {
            deletes.into_iter().map(|delete| TransactWriteItem::builder().delete(delete).build()).collect()
        };
        let [token, number] = gone.clone();
        if let Committed::No(_) = self.transact(items(vec![token, number, free])).await? {
            self.transact(items(gone.into())).await?;
        }
        Ok(true)
    }

    /// The token with this id.
    async fn numbered_api_token(&self, id: u64) -> Result<Option<Numbered>, StoreError> {
        let keys = [Counter::ApiToken.key(), number_key(id)].map(Key::attributes);
        let mut items = self.batch(keys.into()).await?;
        let said = self.said_by(Counter::ApiToken, &mut items)?;
        match items.pop() {
            Some(item) => Ok(Some(serde_dynamo::from_item(item)?)),
            None if said.all_placed() => Ok(None),
            None => Ok(self.api_tokens_by_hash().await?.into_iter().find(|numbered| numbered.token.id == id)),
        }
    }

    /// Puts the tokens of an earlier version under their numbers too, and returns all tokens. `given` is the last
    /// number that the counter has given.
    async fn place_api_tokens(&self, given: u64) -> Result<Vec<Numbered>, StoreError> {
        let tokens = self.api_tokens_by_hash().await?;
        for some in tokens.chunks(PLACED_AT_ONCE) {
            let writes = some.iter().map(|numbered| self.placing(numbered)).collect::<Result<Vec<_>, _>>()?;
            if let Committed::No(_) = self.transact(writes.into_iter().flatten().collect()).await? {
                // A token was deleted at the same time. The next list puts the rest.
                return Ok(tokens);
            }
        }
        let placed = self
            .client
            .update_item()
            .table_name(&*self.table)
            .set_key(Some(Counter::ApiToken.key().attributes()))
            .update_expression("SET placed = :given")
            .condition_expression("#number = :given")
            .expression_attribute_names("#number", "number")
            .expression_attribute_values(":given", n(given));
        if let Err(error) = placed.send().await {
            // A token was made at the same time. The next list puts the rest.
            item_in_the_way(error)?;
        }
        Ok(tokens)
    }

    /// The writes that put a token under its number, on condition that the token exists.
    fn placing(&self, numbered: &Numbered) -> Result<[TransactWriteItem; 2], StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(key(&numbered.hash).attributes()))
            .condition_expression("attribute_exists(PK)")
            .build()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(numbered.item()?)).build()?;
        let item = TransactWriteItem::builder;
        Ok([item().condition_check(check).build(), item().put(put).build()])
    }

    async fn api_tokens_by_hash(&self) -> Result<Vec<Numbered>, StoreError> {
        let items = self.items_of_kind(KIND).await?;
        items
            .into_iter()
            .map(|item| {
                let hash = item.get("SK").and_then(|sk| sk.as_s().ok()).cloned().unwrap_or_default();
                Ok(Numbered { hash, token: serde_dynamo::from_item(item)? })
            })
            .collect()
    }
}
