//! The writes that keep a record whole in all of its places.

use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, Put, TransactWriteItem, Update,
    builders::{PutBuilder, UpdateBuilder},
};

use super::{Conflict, Parent, Record, Stored, Write, as_parent, head, kind_list, list_of, main_key, parents_key};
use crate::store::{Item, Key, Store, StoreError, n, record::Kind, s};

/// Most events a user may manage: their numbers share an item.
const MANAGED_MAX: u32 = 5_000;

impl Store {
    pub(in crate::store) fn insertion<T: Record>(&self, record: &T) -> Result<Vec<Write>, StoreError> {
        let stored = Stored { record: record.clone(), revision: 1 };
        let new = |put: PutBuilder| put.condition_expression("attribute_not_exists(PK)");
        let mut writes = vec![self.put(main_key::<T>(record.id()), &stored, new, Conflict::Changed)?];
        writes.push(self.count(kind_list(T::KIND, record.id()), 1)?);
        if let Some(parent) = record.parent() {
            writes.push(self.joining(parent, &stored)?);
        }
        writes.extend(self.heads(None, Some(record))?);
        for (unique, value) in record.unique() {
            writes.push(self.put(unique.key(&value), &stored, new, Conflict::Taken(unique))?);
        }
        for kind in T::CHILDREN {
            writes.push(self.opening(list_of(as_parent(record), *kind))?);
        }
        Ok(writes)
    }

    pub(in crate::store) fn replacement<T: Record>(
        &self,
        before: &Stored<T>,
        after: &T,
    ) -> Result<Vec<Write>, StoreError> {
        let (id, seen) = (after.id(), before.revision);
        let stored = Stored { record: after.clone(), revision: seen + 1 };
        let same = |put: PutBuilder| {
            put.condition_expression("revision = :seen").expression_attribute_values(":seen", n(seen))
        };
        let mut writes = vec![self.put(main_key::<T>(id), &stored, same, Conflict::Changed)?];
        let (old, new) = (before.record.parent(), after.parent());
        if old == new {
            if let Some(parent) = new {
                writes.push(self.put(parents_key::<T>(parent, id), &stored, same, Conflict::Changed)?);
            }
        } else {
            if let Some(parent) = old {
                writes.push(self.leaving::<T>(parent, id)?);
            }
            if let Some(parent) = new {
                writes.push(self.joining(parent, &stored)?);
            }
        }
        writes.extend(self.heads(Some(&before.record), Some(after))?);
        writes.extend(self.renaming(before, &stored)?);
        if let Some(item) = before.record.trace(after)? {
            let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
            writes.push(Write { item: TransactWriteItem::builder().put(put).build(), fails_as: Conflict::Changed });
        }
        Ok(writes)
    }

    /// The unique values' part of a change.
    fn renaming<T: Record>(&self, before: &Stored<T>, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (before.record.unique(), stored.record.unique());
        let mut writes = Vec::new();
        for (unique, value) in &new {
            let kept = old.contains(&(*unique, value.clone()));
            let free = |put: PutBuilder| {
                if kept { put } else { put.condition_expression("attribute_not_exists(PK)") }
            };
            writes.push(self.put(unique.key(value), stored, free, Conflict::Taken(*unique))?);
        }
        for (unique, value) in old.iter().filter(|value| !new.contains(value)) {
            writes.push(self.delete(unique.key(value), None, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// Deletes a record; its own lists have to be empty, and are closed.
    pub(in crate::store) fn removal<T: Record>(&self, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let record = &stored.record;
        let mut writes = self.removal_of_places(stored)?;
        writes.push(self.count(kind_list(T::KIND, record.id()), -1)?);
        if let Some(parent) = record.parent() {
            writes.push(self.leaving::<T>(parent, record.id())?);
        }
        writes.extend(self.heads(Some(record), None)?);
        Ok(writes)
    }

    /// Deletes a record by itself and under its unique values.
    pub(in crate::store) fn removal_of_places<T: Record>(&self, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let key = main_key::<T>(stored.record.id());
        let mut writes = vec![self.delete(key, Some(stored.revision), Conflict::Changed)?];
        for (unique, value) in stored.record.unique() {
            writes.push(self.delete(unique.key(&value), None, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// Removes the head of a list that counts this many records: nothing joins it any more.
    pub(in crate::store) fn closing(&self, list: String, count: u64) -> Result<Write, StoreError> {
        let delete = Delete::builder()
            .table_name(&*self.table)
            .set_key(Some(head(list).attributes()))
            .condition_expression("#count = :count AND attribute_not_exists(#managed)")
            .expression_attribute_names("#count", "count")
            .expression_attribute_names("#managed", "managed")
            .expression_attribute_values(":count", n(count))
            .build()?;
        Ok(Write { item: TransactWriteItem::builder().delete(delete).build(), fails_as: Conflict::Changed })
    }

    /// Puts a record into its parent's list.
    fn joining<T: Record>(&self, parent: Parent, stored: &Stored<T>) -> Result<Write, StoreError> {
        self.put(parents_key::<T>(parent, stored.record.id()), stored, |put| put, Conflict::Changed)
    }

    fn leaving<T: Record>(&self, parent: Parent, id: u64) -> Result<Write, StoreError> {
        self.delete(parents_key::<T>(parent, id), None, Conflict::Changed)
    }

    /// Has the parents' lists count what becomes of a record, and its managers know of it. A transaction takes one write
    /// of an item, so an owner who manages the event too is told both at once.
    fn heads<T: Record>(&self, before: Option<&T>, after: Option<&T>) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (before.and_then(T::parent), after.and_then(T::parent));
        let mut counts: Vec<_> =
            old.map(|parent| (parent, -1)).into_iter().chain(new.map(|parent| (parent, 1))).collect();
        if old == new {
            counts.clear();
        }
        let id = before.or(after).map_or(0, T::id);
        let [old, new] = [before, after].map(|record| record.map(T::managers).unwrap_or_default());
        let joins = new.iter().filter(|manager| !old.contains(manager)).map(|manager| (*manager, true));
        let leaves = old.iter().filter(|manager| !new.contains(manager)).map(|manager| (*manager, false));
        let mut writes = Vec::new();
        for (manager, joins) in joins.chain(leaves) {
            let owns = counts.iter().position(|(parent, _)| *parent == Parent::User(manager));
            let by = owns.map(|index| counts.swap_remove(index).1);
            writes.push(self.managing(manager, id, joins, by)?);
        }
        for (parent, by) in counts {
            writes.push(self.count_open(parent, T::KIND, by)?);
        }
        Ok(writes)
    }

    /// Counts one record more or less in a list that is open.
    fn count_open(&self, parent: Parent, kind: Kind, by: i64) -> Result<Write, StoreError> {
        let update = self.counting(list_of(parent, kind), by).condition_expression("attribute_exists(PK)");
        let item = TransactWriteItem::builder().update(update.build()?).build();
        Ok(Write { item, fails_as: Conflict::NoParent(kind, parent.id()) })
    }

    /// Counts one record more or less in the list of its kind.
    pub(in crate::store) fn count(&self, list: String, by: i64) -> Result<Write, StoreError> {
        let update = self.counting(list, by).build()?;
        Ok(Write { item: TransactWriteItem::builder().update(update).build(), fails_as: Conflict::Changed })
    }

    fn counting(&self, list: String, by: i64) -> UpdateBuilder {
        self.updating(head(list))
            .update_expression("SET #type = :head ADD #count :by")
            .expression_attribute_names("#type", "Type")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":head", s("Head"))
            .expression_attribute_values(":by", n(by))
    }

    fn opening(&self, list: String) -> Result<Write, StoreError> {
        #[derive(serde::Serialize)]
        struct Head {
            count: u64,
        }
        let item = Item { key: head(list), kind: "Head", entity: &Head { count: 0 } }.attributes()?;
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(Write { item: TransactWriteItem::builder().put(put).build(), fails_as: Conflict::Changed })
    }

    /// Lets a user know that they manage an event, or do no longer; and counts their own events, where `by` says how.
    fn managing(&self, manager: u64, event: u64, joins: bool, by: Option<i64>) -> Result<Write, StoreError> {
        let update = self
            .updating(head(list_of(Parent::User(manager), Kind::Event)))
            .expression_attribute_names("#managed", "managed")
            .expression_attribute_values(":event", AttributeValue::Ns(vec![event.to_string()]));
        let update = if joins {
            let few = "attribute_exists(PK) AND (attribute_not_exists(#managed) OR size(#managed) < :max)";
            update.condition_expression(few).expression_attribute_values(":max", n(MANAGED_MAX))
        } else {
            update.condition_expression("attribute_exists(PK)")
        };
        let update = match by {
            Some(by) => update.expression_attribute_names("#count", "count").expression_attribute_values(":by", n(by)),
            None => update,
        };
        let update = update.update_expression(match (joins, by) {
            (true, None) => "ADD #managed :event",
            (true, Some(_)) => "ADD #managed :event, #count :by",
            (false, None) => "DELETE #managed :event",
            (false, Some(_)) => "DELETE #managed :event ADD #count :by",
        });
        let item = TransactWriteItem::builder().update(update.build()?).build();
        Ok(Write { item, fails_as: Conflict::NoManager(manager) })
    }

    fn updating(&self, key: Key) -> UpdateBuilder {
        Update::builder().table_name(&*self.table).set_key(Some(key.attributes()))
    }

    fn put<T: Record>(
        &self,
        key: Key,
        stored: &Stored<T>,
        condition: impl Fn(PutBuilder) -> PutBuilder,
        fails_as: Conflict,
    ) -> Result<Write, StoreError> {
        let item = Item { key, kind: T::KIND.name(), entity: stored }.attributes()?;
        let put = condition(Put::builder().table_name(&*self.table).set_item(Some(item))).build()?;
        Ok(Write { item: TransactWriteItem::builder().put(put).build(), fails_as })
    }

    /// Deletes an item, of this revision where one is said.
    pub(in crate::store) fn delete(
        &self,
        key: Key,
        revision: Option<u64>,
        fails_as: Conflict,
    ) -> Result<Write, StoreError> {
        let delete = Delete::builder().table_name(&*self.table).set_key(Some(key.attributes()));
        let delete = match revision {
            Some(seen) => delete.condition_expression("revision = :seen").expression_attribute_values(":seen", n(seen)),
            None => delete,
        };
        Ok(Write { item: TransactWriteItem::builder().delete(delete.build()?).build(), fails_as })
    }
}
