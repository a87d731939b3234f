//! Wrong passwords. What is counted is hashed: addresses and names of accounts do not lie in the table for it.

use aws_sdk_dynamodb::types::ReturnValue;
use sha2::{Digest, Sha256};

use super::{Key, RACES, Store, StoreError, client::item_in_the_way, n, s};
use crate::{
    clock::Timestamp,
    id::hex,
    model::{
        Jid,
        guesses::{Guesses, Source, WINDOW, Wrong},
    },
};

fn key(what: &str) -> Key {
    Key { pk: format!("GUESSES#{}", hex(&Sha256::digest(what))), sk: "GUESSES".to_owned() }
}

/// What is counted of a request: its account from its address, and its address. No JID has a space in it.
fn counted(account: &Jid, source: Source) -> [String; 2] {
    let address = source.counted();
    [format!("{account} {address}"), format!(" {address}")]
}

impl Store {
    /// The wrong passwords for an account from an address, and from that address for any. One request.
    pub async fn guesses(&self, account: &Jid, source: Source) -> Result<Guesses, StoreError> {
        let counted = counted(account, source);
        let found = self.batch(counted.iter().map(|what| key(what).attributes()).collect()).await?;
        let [of_account, of_address] = counted.map(|what| {
            let pk = s(key(&what).pk);
            let item = found.iter().find(|item| item.get("PK") == Some(&pk)).cloned();
            item.map(serde_dynamo::from_item).transpose().map(Option::unwrap_or_default)
        });
        Ok(Guesses { of_account: of_account?, of_address: of_address? })
    }

    /// Counts a wrong password; what it comes to. Two requests at once, two more at the beginning of a window.
    pub async fn count_wrong(&self, account: &Jid, source: Source, now: Timestamp) -> Result<Guesses, StoreError> {
        let [of_account, of_address] = counted(account, source);
        let (of_account, of_address) =
            tokio::try_join!(self.count_one(&of_account, now), self.count_one(&of_address, now))?;
        Ok(Guesses { of_account, of_address })
    }

    /// Forgets the wrong passwords for an account from an address: there was a right one.
    pub async fn forget_wrong(&self, account: &Jid, source: Source) -> Result<(), StoreError> {
        let [of_account, _] = counted(account, source);
        let delete = self.client.delete_item().table_name(&*self.table).set_key(Some(key(&of_account).attributes()));
        delete.send().await?;
        Ok(())
    }

    async fn count_one(&self, what: &str, now: Timestamp) -> Result<Wrong, StoreError> {
        let over = "attribute_not_exists(PK) OR expiresAt <= :now";
        let mut first = false;
        for _ in 0..RACES {
            let update = self
                .client
                .update_item()
                .table_name(&*self.table)
                .set_key(Some(key(what).attributes()))
                .expression_attribute_names("#count", "count")
                .expression_attribute_values(":one", n(1))
                .expression_attribute_values(":now", n(now.seconds()))
                .return_values(ReturnValue::AllNew);
            let update = if first {
                update
                    .update_expression("SET #count = :one, expiresAt = :end, #type = :type")
                    .condition_expression(over)
                    .expression_attribute_names("#type", "Type")
                    .expression_attribute_values(":type", s("Guesses"))
                    .expression_attribute_values(":end", n((now + WINDOW).seconds()))
            } else {
                update.update_expression("ADD #count :one").condition_expression("expiresAt > :now")
            };
            match update.send().await {
                Ok(output) => return Ok(serde_dynamo::from_item(output.attributes.unwrap_or_default())?),
                Err(error) => item_in_the_way(error)?,
            };
            first = !first;
        }
        Err(StoreError::Contended)
    }
}
