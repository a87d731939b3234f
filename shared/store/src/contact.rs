//! Rosters: a participant's contacts. The relation of two participants lies in the rosters of both.

use greenroom_core::{
    id::hex,
    model::{Contact, Jid, contact::Relation},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Item, Key, Store, StoreError, attempts::Attempts, transaction::Committed, write::Write};

/// A contact as it lies in a roster.
#[derive(Clone, Serialize, Deserialize)]
struct StoredContact {
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
        let items = self.query(roster(user)).all().await?;
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
                    Some(key) => self.item::<StoredContact>(key).await,
                    None => Ok(None),
                }
            };
            let (before_mine, before_theirs) = tokio::try_join!(self.item::<StoredContact>(mine()), stored_theirs)?;
            let contact = |stored: &Option<StoredContact>| stored.as_ref().map(|stored| stored.contact.clone());
            let mut after = Relation { mine: contact(&before_mine), theirs: contact(&before_theirs) };
            change(&mut after)?;
            let mut writes = Vec::new();
            writes.extend(contact_write(mine(), before_mine, after.mine)?);
            if let Some(key) = theirs() {
                writes.extend(contact_write(key, before_theirs, after.theirs)?);
            }
            if writes.is_empty() || matches!(self.transact(&writes).await?, Committed::Yes) {
                return Ok(());
            }
            attempts.lost().await?;
        }
    }
}

/// The write for one side of a relation. `None` if that side does not change.
fn contact_write(key: Key, before: Option<StoredContact>, after: Option<Contact>) -> Result<Option<Write>, StoreError> {
    let revision = before.as_ref().map(|stored| stored.revision);
    let before = before.map(|stored| stored.contact);
    if before == after {
        return Ok(None);
    }
    let write = match after {
        Some(contact) => {
            let stored = StoredContact { contact, revision: revision.unwrap_or(0) + 1 };
            Item { key, kind: "Contact", entity: &stored }.put()?
        }
        None => Write::delete(key),
    };
    Ok(Some(write.when_unchanged(revision)))
}
