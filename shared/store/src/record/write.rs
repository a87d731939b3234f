//! The writes that keep all copies of a record the same.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, builders::PutBuilder};

use super::{
    Conflict, Parent, Record, Stored, Unique, Write, as_parent, heads::COUNT, kind_list, list_of, main_key, parents_key,
};
use crate::{Attributes, Item, Key, Store, StoreError, n, record::Kind};

/// The largest number of events that a user may manage. Their numbers share one item.
const MANAGED_MAX: u32 = 5_000;

/// The change of a list's counter item.
#[derive(Clone, Copy, Default)]
struct HeadChange {
    /// The change of the count.
    count: i64,
    /// Whether its user begins (`true`) or ceases (`false`) to manage the record.
    manages: Option<bool>,
}

/// The condition that a user may manage one more event.
const MANAGING: &str = "attribute_not_exists(leaving) AND (attribute_not_exists(#managed) OR size(#managed) < :max)";

impl Store {
    pub(crate) fn insertion<T: Record>(&self, record: &T) -> Result<Vec<Write>, StoreError> {
        let stored = Stored { record: record.clone(), revision: 1 };
        let new = |put: PutBuilder| put.condition_expression("attribute_not_exists(PK)");
        let mut writes = vec![self.put(main_key::<T>(record.id()), &stored, new, Conflict::Changed)?];
        writes.push(self.count(kind_list(T::KIND, record.id()), 1)?);
        if let Some(parent) = record.parent() {
            writes.push(self.joining(parent, &stored)?);
        }
        writes.extend(self.counts(None, Some(record))?);
        for (unique, value) in record.unique() {
            let free = |put: PutBuilder| if unique.is_exclusive() { new(put) } else { put };
            writes.push(self.put(unique.key(&value), &stored, free, Conflict::Taken(unique))?);
        }
        for kind in T::CHILDREN {
            writes.push(self.opening(list_of(as_parent(record), *kind))?);
        }
        Ok(writes)
    }

    pub(crate) fn replacement<T: Record>(&self, before: &Stored<T>, after: &T) -> Result<Vec<Write>, StoreError> {
        let mut writes = self.replacement_of_places(before, after)?;
        writes.extend(self.counts(Some(&before.record), Some(after))?);
        Ok(writes)
    }

    /// The writes that change a record in all its places, without the heads of the lists that it joins or leaves.
    pub(crate) fn replacement_of_places<T: Record>(
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
                writes.push(self.delete(parents_key::<T>(parent, id), None, Conflict::Changed)?);
            }
            if let Some(parent) = new {
                writes.push(self.joining(parent, &stored)?);
            }
        }
        writes.extend(self.renaming(before, &stored)?);
        if let Some(item) = before.record.trace(after)? {
            writes.push(self.writing(item, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// The writes of a change to the unique values.
    fn renaming<T: Record>(&self, before: &Stored<T>, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let (old, new) = (before.record.unique(), stored.record.unique());
        let mut writes = Vec::new();
        for (unique, value) in &new {
            let kept = old.contains(&(*unique, value.clone()));
            let free = |put: PutBuilder| {
                if kept || !unique.is_exclusive() { put } else { put.condition_expression("attribute_not_exists(PK)") }
            };
            writes.push(self.put(unique.key(value), stored, free, Conflict::Taken(*unique))?);
        }
        // The provider's id of a former session still has to lead to the record.
        let gone = |value: &&(Unique, String)| value.0.is_exclusive() && !new.contains(value);
        for (unique, value) in old.iter().filter(gone) {
            writes.push(self.delete(unique.key(value), None, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// The writes that delete a record, without its own lists.
    pub(crate) fn removal<T: Record>(&self, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let mut writes = self.removal_from_lists(stored)?;
        writes.extend(self.counts(Some(&stored.record), None)?);
        Ok(writes)
    }

    /// The writes that delete a record in all its places, without the heads of its parent's and managers' lists.
    pub(crate) fn removal_from_lists<T: Record>(&self, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let record = &stored.record;
        let mut writes = self.removal_of_places(stored)?;
        writes.push(self.count(kind_list(T::KIND, record.id()), -1)?);
        if let Some(parent) = record.parent() {
            writes.push(self.delete(parents_key::<T>(parent, record.id()), None, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// The writes that delete a record in the list of its kind and under its unique values.
    pub(crate) fn removal_of_places<T: Record>(&self, stored: &Stored<T>) -> Result<Vec<Write>, StoreError> {
        let key = main_key::<T>(stored.record.id());
        let mut writes = vec![self.delete(key, Some(stored.revision), Conflict::Changed)?];
        for (unique, value) in stored.record.unique() {
            writes.push(self.delete(unique.key(&value), None, Conflict::Changed)?);
        }
        Ok(writes)
    }

    /// The write that puts a record into its parent's list.
    fn joining<T: Record>(&self, parent: Parent, stored: &Stored<T>) -> Result<Write, StoreError> {
        self.put(parents_key::<T>(parent, stored.record.id()), stored, |put| put, Conflict::Changed)
    }

    /// The writes of a change from `before` to `after` to the heads of its parents' and its managers' lists. A user who
    /// is both parent and manager has one head, and a transaction may write an item only once.
    pub(crate) fn counts<T: Record>(&self, before: Option<&T>, after: Option<&T>) -> Result<Vec<Write>, StoreError> {
        let mut changes: BTreeMap<Parent, HeadChange> = BTreeMap::new();
        let [old, new] = [before, after].map(|record| record.and_then(Record::parent));
        if old != new {
            for (parent, by) in [(old, -1), (new, 1)] {
                if let Some(parent) = parent {
                    changes.entry(parent).or_default().count += by;
                }
            }
        }
        let [old, new] = [before, after].map(|record| record.map(Record::managers).unwrap_or_default());
        let joins = new.iter().filter(|manager| !old.contains(manager)).map(|manager| (manager, true));
        let leaves = old.iter().filter(|manager| !new.contains(manager)).map(|manager| (manager, false));
        for (manager, joins) in joins.chain(leaves) {
            changes.entry(Parent::User(*manager)).or_default().manages = Some(joins);
        }
        let id = after.or(before).map(Record::id).unwrap_or_default();
        let changes = changes.into_iter().map(|(parent, change)| self.head_changes(parent, T::KIND, id, change));
        Ok(changes.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The writes that count in a parent's open list, and note in its first head which events a user manages. If the
    /// list is not spread, both are one write.
    fn head_changes(
        &self,
        parent: Parent,
        kind: Kind,
        number: u64,
        change: HeadChange,
    ) -> Result<Vec<Write>, StoreError> {
        let HeadChange { count, manages } = change;
        let list = list_of(parent, kind);
        let counted = match count {
            0 => None,
            1.. => Some(Conflict::NoParent(kind, parent.id())),
            // The parent was deleted first, and the record with it.
            _ => Some(Conflict::Gone),
        };
        let Some(manages) = manages else {
            return counted.map(|fails_as| self.counted(list, number, count, fails_as)).into_iter().collect();
        };
        let in_one = self.counts_in_one(&list);
        let mut writes = Vec::new();
        if let Some(fails_as) = counted.filter(|_| !in_one) {
            writes.push(self.counted(list.clone(), number, count, fails_as)?);
        }
        let (update, open) = match counted {
            Some(_) if in_one => {
                (self.count_in_open(list, number, count), "attribute_exists(PK) AND attribute_not_exists(spread)")
            }
            _ => (self.count_in_first(list, 0), "attribute_exists(PK)"),
        };
        // A record can leave a sealed list.
        let sealed = if manages || count > 0 { " AND attribute_not_exists(sealed)" } else { "" };
        let open = format!("{open}{sealed}");
        let update = update
            .expression_attribute_names("#managed", "managed")
            .expression_attribute_values(":event", AttributeValue::Ns(vec![number.to_string()]));
        let update = if manages {
            update
                .update_expression(format!("{COUNT}, #managed :event"))
                .condition_expression(format!("{open} AND {MANAGING}"))
                .expression_attribute_values(":max", n(MANAGED_MAX))
        } else {
            update.update_expression(format!("{COUNT} DELETE #managed :event")).condition_expression(open)
        };
        let fails_as = match counted {
            Some(fails_as) if in_one && count > 0 => fails_as,
            _ if manages => Conflict::NoManager(parent.id()),
            _ => Conflict::Gone,
        };
        writes.push(Write { item: TransactWriteItem::builder().update(update.build()?).build(), fails_as });
        Ok(writes)
    }

    fn counted(&self, list: String, number: u64, by: i64, fails_as: Conflict) -> Result<Write, StoreError> {
        let update = self.count_in_open(list, number, by).build()?;
        Ok(Write { item: TransactWriteItem::builder().update(update).build(), fails_as })
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

    /// The write that puts an item unconditionally.
    pub(crate) fn writing(&self, item: Attributes, fails_as: Conflict) -> Result<Write, StoreError> {
        let put = Put::builder().table_name(&*self.table).set_item(Some(item)).build()?;
        Ok(Write { item: TransactWriteItem::builder().put(put).build(), fails_as })
    }

    /// The write that deletes an item, on condition of this revision if there is one.
    pub(crate) fn delete(&self, key: Key, revision: Option<u64>, fails_as: Conflict) -> Result<Write, StoreError> {
        let delete = Delete::builder().table_name(&*self.table).set_key(Some(key.attributes()));
        let delete = match revision {
            Some(seen) => delete.condition_expression("revision = :seen").expression_attribute_values(":seen", n(seen)),
            None => delete,
        };
        Ok(Write { item: TransactWriteItem::builder().delete(delete.build()?).build(), fails_as })
    }
}
