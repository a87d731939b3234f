//! The writes that keep all copies of a record the same.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{
    Conflict, Kind, Parent, Record, RecordWrite, Stored, Unique, as_parent,
    counter_items::{COUNT, count, counting, opening},
    first_counter, kind_list, list_of, main_key, parents_key,
};
use crate::{Item, Key, Store, StoreError, n, write::Write};

/// The largest number of events that a user may manage. Their numbers share one item.
const MANAGED_MAX: u32 = 5_000;

/// The change of a list's counter item.
#[derive(Clone, Copy, Default)]
struct CountChange {
    /// The change of the count.
    count: i64,
    /// Whether its user begins (`true`) or ceases (`false`) to manage the record.
    manages: Option<bool>,
}

/// The condition that a user may manage one more event.
const MANAGING: &str = "attribute_not_exists(leaving) AND (attribute_not_exists(#managed) OR size(#managed) < :max)";

impl Store {
    pub(crate) fn insertion<T: Record>(&self, record: &T) -> Result<Vec<RecordWrite>, StoreError> {
        let stored = Stored { record: record.clone(), revision: 1 };
        let mut writes = vec![put(main_key::<T>(record.id()), &stored)?.when_new().fails_as(Conflict::Changed)];
        writes.push(count(kind_list(T::KIND, record.id()), 1));
        if let Some(parent) = record.parent() {
            writes.push(joining(parent, &stored)?);
        }
        writes.extend(self.counts(None, Some(record)));
        for (unique, value) in record.unique() {
            let copy = put(unique.key(&value), &stored)?;
            let copy = if unique.is_exclusive() { copy.when_new() } else { copy };
            writes.push(copy.fails_as(Conflict::Taken(unique)));
        }
        for kind in T::CHILDREN {
            writes.push(opening(list_of(as_parent(record), *kind))?);
        }
        Ok(writes)
    }

    pub(crate) fn replacement<T: Record>(&self, before: &Stored<T>, after: &T) -> Result<Vec<RecordWrite>, StoreError> {
        let mut writes = replacement_of_places(before, after)?;
        writes.extend(self.counts(Some(&before.record), Some(after)));
        Ok(writes)
    }

    /// The writes that delete a record, without its own lists.
    pub(crate) fn removal<T: Record>(&self, stored: &Stored<T>) -> Vec<RecordWrite> {
        let mut writes = removal_from_lists(stored);
        writes.extend(self.counts(Some(&stored.record), None));
        writes
    }

    /// The writes of a change from `before` to `after` to the counter items of its parents' and its managers' lists. A
    /// user who is both parent and manager has one list, and a transaction may write an item only once.
    pub(crate) fn counts<T: Record>(&self, before: Option<&T>, after: Option<&T>) -> Vec<RecordWrite> {
        let mut changes: BTreeMap<Parent, CountChange> = BTreeMap::new();
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
        changes.into_iter().flat_map(|(parent, change)| self.count_change(parent, T::KIND, id, change)).collect()
    }

    /// The writes that count in a parent's open list, and note in its first counter item which events a user manages.
    /// If the list is not spread, both are one write.
    fn count_change(&self, parent: Parent, kind: Kind, number: u64, change: CountChange) -> Vec<RecordWrite> {
        let CountChange { count, manages } = change;
        let list = list_of(parent, kind);
        let counted = match count {
            0 => None,
            1.. => Some(Conflict::NoParent(kind, parent.id())),
            // The parent was deleted first, and the record with it.
            _ => Some(Conflict::Gone),
        };
        let counted_alone = |list, fails_as| self.count_in_open(list, number, count).fails_as(fails_as);
        let Some(manages) = manages else {
            return counted.map(|fails_as| counted_alone(list, fails_as)).into_iter().collect();
        };
        let (alone, here) = if self.counts_in_one(&list) { (None, counted) } else { (counted, None) };
        let mut writes: Vec<_> = alone.map(|fails_as| counted_alone(list.clone(), fails_as)).into_iter().collect();
        let by = if here.is_some() { count } else { 0 };
        let one = if here.is_some() { " AND attribute_not_exists(spread)" } else { "" };
        // A record can leave a sealed list.
        let sealed = if manages || count > 0 { " AND attribute_not_exists(sealed)" } else { "" };
        let open = format!("attribute_exists(PK){one}{sealed}");
        let noting = if manages {
            counting(first_counter(list), by, format!("{COUNT}, #managed :event"))
                .when(format!("{open} AND {MANAGING}"))
                .value(":max", n(MANAGED_MAX))
        } else {
            counting(first_counter(list), by, format!("{COUNT} DELETE #managed :event")).when(open)
        };
        let noting = noting.name("#managed", "managed");
        let noting = noting.value(":event", AttributeValue::Ns(vec![number.to_string()]));
        writes.push(noting.fails_as(match here {
            Some(fails_as) if count > 0 => fails_as,
            _ if manages => Conflict::NoManager(parent.id()),
            _ => Conflict::Gone,
        }));
        writes
    }
}

/// The writes that change a record in all its places, without the counter items of the lists that it joins or leaves.
pub(crate) fn replacement_of_places<T: Record>(before: &Stored<T>, after: &T) -> Result<Vec<RecordWrite>, StoreError> {
    let (id, seen) = (after.id(), before.revision);
    let stored = Stored { record: after.clone(), revision: seen + 1 };
    let same = |key| Ok::<_, StoreError>(put(key, &stored)?.when_unchanged(Some(seen)).fails_as(Conflict::Changed));
    let mut writes = vec![same(main_key::<T>(id))?];
    let (old, new) = (before.record.parent(), after.parent());
    if old == new {
        if let Some(parent) = new {
            writes.push(same(parents_key::<T>(parent, id))?);
        }
    } else {
        if let Some(parent) = old {
            writes.push(deleting(parents_key::<T>(parent, id)));
        }
        if let Some(parent) = new {
            writes.push(joining(parent, &stored)?);
        }
    }
    writes.extend(renaming(before, &stored)?);
    writes.extend(before.record.trace(after)?.map(|item| Write::put(item).fails_as(Conflict::Changed)));
    Ok(writes)
}

/// The writes of a change to the unique values.
fn renaming<T: Record>(before: &Stored<T>, stored: &Stored<T>) -> Result<Vec<RecordWrite>, StoreError> {
    let (old, new) = (before.record.unique(), stored.record.unique());
    let mut writes = Vec::new();
    for (unique, value) in &new {
        let kept = old.contains(&(*unique, value.clone()));
        let copy = put(unique.key(value), stored)?;
        let copy = if kept || !unique.is_exclusive() { copy } else { copy.when_new() };
        writes.push(copy.fails_as(Conflict::Taken(*unique)));
    }
    // The provider's id of a former session still has to lead to the record.
    let gone = |value: &&(Unique, String)| value.0.is_exclusive() && !new.contains(value);
    writes.extend(old.iter().filter(gone).map(|(unique, value)| deleting(unique.key(value))));
    Ok(writes)
}

/// The writes that delete a record in all its places, without the counter items of its parent's and managers' lists.
pub(crate) fn removal_from_lists<T: Record>(stored: &Stored<T>) -> Vec<RecordWrite> {
    let record = &stored.record;
    let mut writes = removal_of_places(stored);
    writes.push(count(kind_list(T::KIND, record.id()), -1));
    writes.extend(record.parent().map(|parent| deleting(parents_key::<T>(parent, record.id()))));
    writes
}

/// The writes that delete a record in the list of its kind and under its unique values.
pub(crate) fn removal_of_places<T: Record>(stored: &Stored<T>) -> Vec<RecordWrite> {
    let main = Write::delete(main_key::<T>(stored.record.id())).when_unchanged(Some(stored.revision));
    let mut writes = vec![main.fails_as(Conflict::Changed)];
    writes.extend(stored.record.unique().iter().map(|(unique, value)| deleting(unique.key(value))));
    writes
}

/// The write that puts a record into its parent's list.
fn joining<T: Record>(parent: Parent, stored: &Stored<T>) -> Result<RecordWrite, StoreError> {
    Ok(put(parents_key::<T>(parent, stored.record.id()), stored)?.fails_as(Conflict::Changed))
}

/// The write that puts a copy of a record.
fn put<T: Record>(key: Key, stored: &Stored<T>) -> Result<Write, StoreError> {
    Item { key, kind: T::KIND.name(), entity: stored }.put()
}

/// The write that deletes an item, whatever it is.
pub(crate) fn deleting(key: Key) -> RecordWrite {
    Write::delete(key).fails_as(Conflict::Changed)
}
