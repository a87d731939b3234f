//! Static API tokens. A token lies under its hash, where a request finds it, and under its number, where a list finds
//! it.

use greenroom_core::{
    clock::Timestamp,
    id::hex,
    model::{ApiToken, api_token::ApiTokenHash},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Item, Key, Store, StoreError, n, sequence::Sequence, shard, transaction::Committed, write::Write};

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
    fn put(&self) -> Result<Write, StoreError> {
        Item { key: number_key(self.token.id), kind: "ApiTokenNumber", entity: self }.put()
    }

    /// The writes that put the token under its number, on condition that it exists.
    fn placing(&self) -> Result<[Write; 2], StoreError> {
        Ok([Write::check(key(&self.hash)).when_there(), self.put()?])
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
        let id = self.next_number(Sequence::ApiToken).await?;
        let token = ApiToken { id, name: name.to_owned(), mobile, created_at: now };
        let mut writes = vec![Item { key: key(hash.as_str()), kind: "ApiToken", entity: &token }.put()?];
        let numbered = Numbered { hash: hash.as_str().to_owned(), token };
        let owner = Item { key: name_key(name), kind: "ApiTokenName", entity: &NameOwner { token_id: id } }.put()?;
        writes.extend([numbered.put()?, owner.when_new()]);
        Ok(match self.transact(&writes).await? {
            Committed::Yes => Ok(numbered.token),
            Committed::No(_) => Err(NameTaken),
        })
    }

    /// All tokens, ordered by id.
    ///
    /// One request where few tokens were ever made. Tokens of an earlier version are put under their numbers first.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let tokens = match self.all_numbered(Sequence::ApiToken, number_key).await? {
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
        let mut writes = vec![Write::delete(key(&hash)), Write::delete(number_key(id))];
        // A token from before names were unique owns no name, and another token may have it.
        let free = Write::delete(name_key(&token.name)).when("attribute_not_exists(PK) OR tokenId = :id");
        writes.push(free.value(":id", n(id)));
        if let Committed::No(_) = self.transact(&writes).await? {
            writes.pop();
            self.transact(&writes).await?;
        }
        Ok(true)
    }

    /// The token with this id.
    async fn numbered_api_token(&self, id: u64) -> Result<Option<Numbered>, StoreError> {
        let keys = [Sequence::ApiToken.key(), number_key(id)].map(Key::attributes);
        let mut items = self.batch(keys.into()).await?;
        let said = self.said_by(Sequence::ApiToken, &mut items)?;
        match items.pop() {
            Some(item) => Ok(Some(serde_dynamo::from_item(item)?)),
            None if said.all_placed() => Ok(None),
            None => Ok(self.api_tokens_by_hash().await?.into_iter().find(|numbered| numbered.token.id == id)),
        }
    }

    /// Puts the tokens of an earlier version under their numbers too, and returns all tokens. `given` is the last
    /// number that the sequence has given.
    async fn place_api_tokens(&self, given: u64) -> Result<Vec<Numbered>, StoreError> {
        let tokens = self.api_tokens_by_hash().await?;
        for some in tokens.chunks(PLACED_AT_ONCE) {
            let writes = some.iter().map(Numbered::placing).collect::<Result<Vec<_>, _>>()?;
            if let Committed::No(_) = self.transact(writes.as_flattened()).await? {
                // A token was deleted at the same time. The next list puts the rest.
                return Ok(tokens);
            }
        }
        let placed = Write::update(Sequence::ApiToken.key(), "SET placed = :given").when("#number = :given");
        // If a token was made at the same time, the condition fails, and the next list puts the rest.
        let _ = self.write(placed.name("#number", "number").value(":given", n(given))).await?;
        Ok(tokens)
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
