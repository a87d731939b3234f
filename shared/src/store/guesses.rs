//! Wrong passwords. What is counted is hashed: addresses and names of accounts do not lie in the table for it.

use aws_sdk_dynamodb::types::{ReturnValue, ReturnValuesOnConditionCheckFailure};
use sha2::{Digest, Sha256};

use super::{
    Key, RACES, Store, StoreError,
    client::item_in_the_way,
    n, s,
    user::{Password, password_key},
};
use crate::{
    clock::Timestamp,
    id::hex,
    model::{
        Jid,
        guesses::{Guesses, OF_ACCOUNT, Source, WINDOW, Wrong},
    },
    password::PasswordHash,
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
    /// The hash of a user's password, and the wrong ones for an account from an address, and from that address for any.
    /// One request.
    pub async fn password_and_guesses(
        &self,
        user: Option<u64>,
        account: &Jid,
        source: Source,
    ) -> Result<(Option<PasswordHash>, Guesses), StoreError> {
        let [of_account, of_address] = counted(account, source).map(|what| key(&what));
        let password = user.map(password_key);
        let [account_pk, address_pk] = [&of_account, &of_address].map(|key| s(&key.pk));
        let keys = [of_account, of_address].into_iter().chain(password).map(Key::attributes);
        let mut guesses = Guesses::default();
        let mut hash = None;
        for item in self.batch(keys.collect()).await? {
            if item.get("PK") == Some(&account_pk) {
                guesses.of_account = serde_dynamo::from_item(item)?;
            } else if item.get("PK") == Some(&address_pk) {
                guesses.of_address = serde_dynamo::from_item(item)?;
            } else {
                let Password { hash: found } = serde_dynamo::from_item(item)?;
                hash = Some(found);
            }
        }
        Ok((hash, guesses))
    }

    /// Counts a wrong password; what it comes to. Two requests at once, two more at the beginning of a window.
    pub async fn count_wrong(&self, account: &Jid, source: Source, now: Timestamp) -> Result<Guesses, StoreError> {
        let [of_account, of_address] = counted(account, source);
        let (of_account, of_address) =
            tokio::try_join!(self.count_one(&of_account, now), self.count_one(&of_address, now))?;
        Ok(Guesses { of_account, of_address })
    }

    /// Forgets the wrong passwords for an account from an address, for there was a right one, unless there were too many:
    /// those are what it comes to then.
    pub async fn forget_wrong(&self, account: &Jid, source: Source, now: Timestamp) -> Result<Guesses, StoreError> {
        let [of_account, _] = counted(account, source);
        let delete = self
            .client
            .delete_item()
            .table_name(&*self.table)
            .set_key(Some(key(&of_account).attributes()))
            .condition_expression("attribute_not_exists(PK) OR expiresAt <= :now OR #count < :most")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":now", n(now.seconds()))
            .expression_attribute_values(":most", n(OF_ACCOUNT))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let Err(error) = delete.send().await else { return Ok(Guesses::default()) };
        let found = item_in_the_way(error)?.map(serde_dynamo::from_item).transpose()?;
        Ok(Guesses { of_account: found.unwrap_or_default(), ..Guesses::default() })
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
