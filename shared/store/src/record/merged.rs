//! Several partitions, read as one list ordered by number.

use std::collections::VecDeque;

use futures_util::future::try_join_all;

use super::{
    FIRST_COUNTER, Kind, Parent, Record, Selection,
    counter_items::{count_in, further_counters, says_spread},
    first_counter, kind_lists, list_of, padded, turn,
};
use crate::{Attributes, Ended, Key, Store, StoreError};

/// How many items of all partitions together a search reads before other requests have their turn.
const SEARCHED_AT_ONCE: usize = 1_000;
/// The least that a search reads of one partition at once. With less there would be too many requests.
const SEARCHED_LEAST: usize = 250;
/// A sort key before all sort keys of a list.
const FIRST: &str = "!";
/// How many partitions are read at once.
const MAX_CONCURRENT: usize = 16;
/// An upper bound of the counter items of a list.
const COUNTERS_MAX: usize = 20;
/// The largest number of items that a query asks for. It fits a page of a thousand and the item that shows whether
/// another page follows.
const QUERY_MAX: usize = 1_300;

/// A record of a list that is not decoded yet.
pub(super) enum Row<T> {
    Item(Attributes),
    Record(T),
}

impl<T: Record> Row<T> {
    pub(super) fn read(self) -> Result<T, StoreError> {
        match self {
            Self::Item(item) => Ok(serde_dynamo::from_item(item)?),
            Self::Record(record) => Ok(record),
        }
    }

    /// Whether the record belongs to this event.
    fn is_of(&self, event: u64) -> bool {
        match self {
            Self::Item(item) => item.get("event").and_then(|id| id.as_n().ok()) == Some(&event.to_string()),
            Self::Record(record) => record.parent() == Some(Parent::Event(event)),
        }
    }
}

/// A partition that is read as far as needed.
struct Partition {
    list: String,
    /// The sort key of the last item that was read.
    after: String,
    ahead: VecDeque<(u64, Attributes)>,
    count: Option<i64>,
    ended: bool,
}

/// Several partitions as one list.
pub(super) struct Merged<'a, T> {
    store: &'a Store,
    partitions: Vec<Partition>,
    beside: VecDeque<T>,
    /// The number of records beside the lists, including those that are passed over.
    all_beside: u64,
    ended: Vec<Ended>,
    /// How many items of a partition one request asks for.
    at_once: usize,
    /// Whether other requests go first.
    takes_turns: bool,
}

impl<'a, T: Record> Merged<'a, T> {
    /// Begins a list. `wanted` is the number of records that will probably be asked for.
    pub(super) fn of(store: &'a Store, selection: Selection<T>, after: Option<u64>, wanted: usize) -> Self {
        let Selection { parents, mut beside, ended } = selection;
        let parents_own = parents.is_some();
        let lists = match parents {
            None => kind_lists(T::KIND),
            Some(parents) => parents.into_iter().map(|parent| list_of(parent, T::KIND)).collect(),
        };
        let all_beside = beside.len() as u64;
        beside.retain(|record| after.is_none_or(|after| record.id() > after));
        beside.sort_by_key(T::id);
        // Numbers are given in turn, so they lie evenly among the partitions of a kind. The counter items come with
        // them.
        let share = (wanted / lists.len().max(1)).min(QUERY_MAX);
        let counters = if parents_own { COUNTERS_MAX } else { 1 };
        let at_once = (share + share / 4 + 8 + counters).min(QUERY_MAX);
        let from = after.map_or_else(|| FIRST.to_owned(), padded);
        let partition =
            |list| Partition { list, after: from.clone(), ahead: VecDeque::new(), count: None, ended: false };
        let partitions = lists.into_iter().map(partition).collect();
        Self { store, partitions, beside: beside.into(), all_beside, ended, at_once, takes_turns: false }
    }

    /// Begins a list that is searched, a little at a time.
    pub(super) fn searched(store: &'a Store, selection: Selection<T>, after: Option<u64>) -> Self {
        let mut merged = Self::of(store, selection, after, 0);
        let share = SEARCHED_AT_ONCE / merged.partitions.len().max(1);
        merged.at_once = share.max(SEARCHED_LEAST);
        merged.takes_turns = true;
        merged
    }

    /// The next record by number that belongs to no ended event.
    pub(super) async fn next(&mut self) -> Result<Option<Row<T>>, StoreError> {
        loop {
            let next = self.next_of_all().await?;
            let gone = |row: &Row<T>| self.ended.iter().any(|ended| row.is_of(ended.id));
            if !next.as_ref().is_some_and(gone) {
                return Ok(next);
            }
        }
    }

    async fn next_of_all(&mut self) -> Result<Option<Row<T>>, StoreError> {
        self.fill().await?;
        let ahead =
            self.partitions.iter_mut().filter_map(|partition| Some((partition.ahead.front()?.0, &mut partition.ahead)));
        let first = ahead.min_by_key(|(id, _)| *id);
        let beside = self.beside.front().map(T::id);
        Ok(match first {
            Some((id, ahead)) if beside.is_none_or(|beside| id < beside) => {
                ahead.pop_front().map(|(_, item)| Row::Item(item))
            }
            _ => self.beside.pop_front().map(Row::Record),
        })
    }

    /// Reads on in every partition whose items in memory are used up.
    pub(super) async fn fill(&mut self) -> Result<(), StoreError> {
        let (store, at_once) = (self.store, self.at_once);
        let takes_turns = self.takes_turns;
        let mut empty: Vec<_> =
            self.partitions.iter_mut().filter(|partition| partition.ahead.is_empty() && !partition.ended).collect();
        for partitions in empty.chunks_mut(MAX_CONCURRENT) {
            let reading = partitions.iter_mut().map(|partition| async move {
                let _turn = if takes_turns { Some(turn::turn().await?) } else { None };
                partition.read_on(store, at_once).await
            });
            try_join_all(reading).await?;
        }
        Ok(())
    }

    /// The number of records in the whole list.
    pub(super) async fn count(&self) -> Result<u64, StoreError> {
        let unknown: Vec<_> = self
            .partitions
            .iter()
            .filter(|partition| partition.count.is_none())
            .map(|partition| &partition.list)
            .collect();
        let firsts = unknown.iter().map(|list| first_counter((*list).clone()).attributes()).collect();
        let firsts = self.store.batch(firsts).await?;
        let spread =
            firsts.iter().filter(|counter| says_spread(counter)).filter_map(|counter| counter.get("PK")?.as_s().ok());
        let further = spread.flat_map(|list| further_counters(list)).map(Key::attributes).collect();
        let further = self.store.batch(further).await?;
        let known: i64 = self.partitions.iter().filter_map(|partition| partition.count).sum();
        let counted = known + firsts.iter().chain(&further).map(count_in).sum::<i64>();
        let left = self.ended.iter().map(|ended| match T::KIND {
            Kind::User | Kind::Event => 0,
            Kind::Session => ended.sessions,
            Kind::LoginToken => ended.login_tokens,
        });
        let all = self.all_beside + u64::try_from(counted).unwrap_or(0);
        Ok(all.saturating_sub(left.sum()))
    }
}

impl Partition {
    async fn read_on(&mut self, store: &Store, limit: usize) -> Result<(), StoreError> {
        let answer = store.query(&self.list).after(&self.after).limit(limit).send().await?;
        self.ended = answer.next.is_none();
        if self.after == FIRST {
            // A list that nothing was ever put into has no counter item.
            self.count = Some(0);
        }
        for item in answer.items {
            let Some(key) = item.get("SK").and_then(|key| key.as_s().ok()) else { continue };
            self.after.clone_from(key);
            if key.starts_with(FIRST_COUNTER) {
                self.count = Some(self.count.unwrap_or(0) + count_in(&item));
            } else if let Ok(id) = key.parse() {
                self.ahead.push_back((id, item));
            }
        }
        Ok(())
    }
}
