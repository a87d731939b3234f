//! Rosters: a participant's contacts. The relation of two participants lies in the rosters of both.

use aws_sdk_dynamodb::types::{Delete, Put, TransactWriteItem};
use greenroom_core::{
    id::hex,
    model::{Contact, Jid, contact::Relation},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Item, Key, Store, StoreError, attempts::Attempts, n, transaction::Committed};

/// A contact as it lies in a roster.
#[derive(Clone, Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    contact: Contact,
    /// Counts the changes of the contact.
    revision: u64,
}

/// The two rosters that a change is about: that of the acting user, and that of the contact, who may have no account.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The JID of the acting user.
    pub me: Jid,
    /// The number of the acting user.
    pub user: u64,
    /// The JID of the contact.
    pub contact: Jid,
    /// The number of the contact's user, if there is one.
    pub contact_user: Option<u64>,
}

fn roster(user: u64) -> String {
    format!("ROSTER#{user}")
}

fn key(user: u64, contact: &Jid) -> Key {
    Key { pk: roster(user), sk: hex(&Sha256::digest(contact.as_str())) }
}

impl Store {
    /// A user's contacts, ordered by JID. One request, and one for every further MB.
    pub async fn contacts(&self, user: u64) -> Result<Vec<Contact>, StoreError> {
        let items = self.items(&roster(user), "").await?;
        let mut contacts: Vec<Contact> = serde_dynamo::from_items(items)?;
        contacts.sort_by(|a, b| a.jid.cmp(&b.jid));
        Ok(contacts)
    }

    /// Changes the relation of two participants by what `change` makes of it. Two requests, the second a transaction.
    pub async fn change_relation<E: From<StoreError>>(
        &self,
        pair: &Pair,
        change: impl Fn(&mut Relation) -> Result<(), E>,
    ) -> Result<(), E> {
        let mine = || key(pair.user, &pair.contact);
        let theirs = || pair.contact_user.map(|user| key(user, &pair.me));
        let mut attempts = Attempts::default();
        loop {
            let stored_theirs = async {
                match theirs() {
                    Some(key) => self.item::<Stored>(key).await,
                    None => Ok(None),
                }
            };
            let (before_mine, before_theirs) = tokio::try_join!(self.item::<Stored>(mine()), stored_theirs)?;
            let contact = |stored: &Option<Stored>| stored.as_ref().map(|stored| stored.contact.clone());
            let mut after = Relation { mine: contact(&before_mine), theirs: contact(&before_theirs) };
            change(&mut after)?;
            let mut writes = vec![self.write_contact(mine(), before_mine, after.mine)?];
            if let Some(key) = theirs() {
                writes.push(self.write_contact(key, before_theirs, after.theirs)?);
            }
            let writes: Vec<_> = writes.into_iter().flatten().collect();
            if writes.is_empty() || matches!(self.transact(writes).await?, Committed::Yes) {
                return Ok(());
            }
            attempts.lost().await?;
        }
    }

    /// The write for one side of a relation. `None` if that side does not change.
    fn write_contact(
        &self,
        key: Key,
        before: Option<Stored>,
        after: Option<Contact>,
    ) -> Result<Option<TransactWriteItem>, StoreError> {
        let revision = before.as_ref().map_or(0, |stored| stored.revision);
        let unchanged = if before.is_some() { "revision = :seen" } else { "attribute_not_exists(PK)" };
        let before = before.map(|stored| stored.contact);
        let Some(contact) = after else {
            if before.is_none() {
                return Ok(None);
            }
            let delete = Delete::builder()
                .table_name(&*self.table)
                .set_key(Some(key.attributes()))
                .condition_expression(unchanged)
                .expression_attribute_values(":seen", n(revision));
            return Ok(Some(TransactWriteItem::builder().delete(delete.build()?).build()));
        };
        if before.as_ref() == Some(&contact) {
            return Ok(None);
        }
        let stored = Stored { contact, revision: revision + 1 };
        let item = Item { key, kind: "Contact", entity: &stored }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).condition_expression(unchanged);
        let put = if before.is_some() { put.expression_attribute_values(":seen", n(revision)) } else { put };
        Ok(Some(TransactWriteItem::builder().put(put.build()?).build()))
    }
}
