//! Pages of lists, merged by number from the partitions they lie in.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures_util::future::try_join_all;

use super::{HEAD, Kind, Parent, Record, Stored, head, kind_lists, list_of, main_key, padded};
use crate::store::{Attributes, Ended, Store, StoreError, s};

/// Sorts before every sort key of a list.
const FIRST: &str = "!";
/// How many partitions are read at once.
const AT_ONCE: usize = 16;
/// Most items a query or a batch asks for.
const QUERY_MAX: usize = 1_000;
const BATCH_MAX: usize = 100;

/// What a list is made of.
#[derive(Clone, Debug)]
pub struct Selection<T> {
    /// Whose lists; `None`: everything of its kind.
    pub parents: Option<Vec<Parent>>,
    /// Records beside those of the lists.
    pub beside: Vec<T>,
    /// Events whose records are passed over, for they are gone.
    pub ended: Vec<Ended>,
}

impl<T> Selection<T> {
    /// Everything of its kind.
    #[must_use]
    pub fn all() -> Self {
        Self { parents: None, beside: Vec::new(), ended: Vec::new() }
    }

    /// What lies in these parents' lists.
    #[must_use]
    pub fn of(parents: impl IntoIterator<Item = Parent>) -> Self {
        Self { parents: Some(parents.into_iter().collect()), ..Self::all() }
    }

    /// These records.
    #[must_use]
    pub fn only(records: Vec<T>) -> Self {
        Self { parents: Some(Vec::new()), beside: records, ..Self::all() }
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many records are passed over.
    pub skip: u64,
    /// How many there may be.
    pub limit: usize,
    /// The number of the record that the page before ended with: what is passed over need not be read.
    pub after: Option<u64>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// How many records the whole list has.
    pub count: u64,
    /// Those of the page, by number.
    pub records: Vec<T>,
}

impl Store {
    /// A page of a list, by number.
    ///
    /// Without `matches` its count comes from the lists' heads, and as much is read as lies before the page's end; with
    /// it, everything is.
    pub async fn page<T: Record>(
        &self,
        selection: Selection<T>,
        window: Window,
        matches: Option<&(dyn Fn(&T) -> bool + Send + Sync)>,
    ) -> Result<Page<T>, StoreError> {
        match matches {
            Some(matches) => self.matching_page(selection, window, matches).await,
            None => self.plain_page(selection, window).await,
        }
    }

    async fn plain_page<T: Record>(&self, selection: Selection<T>, window: Window) -> Result<Page<T>, StoreError> {
        let skip = if window.after.is_some() { 0 } else { usize::try_from(window.skip).unwrap_or(usize::MAX) };
        let wanted = skip.saturating_add(window.limit);
        let mut merged = Merged::of(self, selection, window.after, wanted);
        merged.fill().await?;
        let count = merged.count().await?;
        let mut records = Vec::new();
        if window.after.is_some() || window.skip < count {
            for _ in 0..skip {
                merged.next().await?;
            }
            while records.len() < window.limit
                && let Some(record) = merged.next().await?
            {
                records.push(record.read()?);
            }
        }
        Ok(Page { count, records })
    }

    async fn matching_page<T: Record>(
        &self,
        selection: Selection<T>,
        window: Window,
        matches: &(dyn Fn(&T) -> bool + Send + Sync),
    ) -> Result<Page<T>, StoreError> {
        let mut merged = Merged::of(self, selection, None, usize::MAX);
        let mut page = Page { count: 0, records: Vec::new() };
        while let Some(record) = merged.next().await? {
            let record: T = record.read()?;
            if matches(&record) {
                if page.count >= window.skip && page.records.len() < window.limit {
                    page.records.push(record);
                }
                page.count += 1;
            }
        }
        Ok(page)
    }

    /// Everything in a parent's list, by number.
    pub async fn records_of<T: Record>(&self, parent: Parent) -> Result<Vec<T>, StoreError> {
        let items = self.items_from(&list_of(parent, T::KIND), &padded(0)).await?;
        Ok(serde_dynamo::from_items(items)?)
    }

    /// Those of these numbers that there are, by number.
    pub async fn records<T: Record>(&self, ids: &[u64]) -> Result<Vec<Stored<T>>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<_> = ids.into_iter().map(|id| main_key::<T>(id).attributes()).collect();
        let mut records: Vec<Stored<T>> = serde_dynamo::from_items(self.batch(keys).await?)?;
        records.sort_by_key(|stored| stored.record.id());
        Ok(records)
    }

    /// The items of these keys that there are, in no order.
    pub(in crate::store) async fn batch(&self, keys: Vec<Attributes>) -> Result<Vec<Attributes>, StoreError> {
        let batches = keys.chunks(BATCH_MAX).map(|keys| self.one_batch(keys.to_vec()));
        Ok(try_join_all(batches).await?.into_iter().flatten().collect())
    }

    async fn one_batch(&self, mut keys: Vec<Attributes>) -> Result<Vec<Attributes>, StoreError> {
        let mut items = Vec::new();
        for lost in 0..crate::store::RACES {
            if lost > 0 {
                crate::store::pause(lost).await;
            }
            let asked = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build()?;
            let output = self.client.batch_get_item().request_items(&*self.table, asked).send().await?;
            items.extend(output.responses.unwrap_or_default().into_values().flatten());
            let left = output.unprocessed_keys.unwrap_or_default().into_values().next();
            keys = left.map(|left| left.keys).unwrap_or_default();
            if keys.is_empty() {
                return Ok(items);
            }
        }
        Err(StoreError::Contended)
    }
}

/// A record of a list, not yet looked into.
enum Row<T> {
    Item(Attributes),
    Record(T),
}

impl<T: Record> Row<T> {
    fn read(self) -> Result<T, StoreError> {
        match self {
            Self::Item(item) => Ok(serde_dynamo::from_item(item)?),
            Self::Record(record) => Ok(record),
        }
    }

    /// Whether it belongs to this event.
    fn is_of(&self, event: u64) -> bool {
        match self {
            Self::Item(item) => item.get("event").and_then(|id| id.as_n().ok()) == Some(&event.to_string()),
            Self::Record(record) => record.parent() == Some(Parent::Event(event)),
        }
    }
}

/// A partition that is read as far as it is needed.
struct Feed {
    list: String,
    /// The sort key of the last item that was read.
    after: String,
    ahead: VecDeque<(u64, Attributes)>,
    count: Option<u64>,
    ended: bool,
}

/// Several partitions as one list.
struct Merged<'a, T> {
    store: &'a Store,
    feeds: Vec<Feed>,
    beside: VecDeque<T>,
    /// Their number, those passed over too.
    all_beside: u64,
    ended: Vec<Ended>,
    /// How many items a partition is asked for at once.
    at_once: i32,
}

impl<'a, T: Record> Merged<'a, T> {
    /// `wanted` is how many records are likely to be asked for.
    fn of(store: &'a Store, selection: Selection<T>, after: Option<u64>, wanted: usize) -> Self {
        let Selection { parents, mut beside, ended } = selection;
        let lists = match parents {
            None => kind_lists(T::KIND),
            Some(parents) => parents.into_iter().map(|parent| list_of(parent, T::KIND)).collect(),
        };
        let all_beside = beside.len() as u64;
        beside.retain(|record| after.is_none_or(|after| record.id() > after));
        beside.sort_by_key(T::id);
        // Numbers are given in turn, so they lie evenly among the partitions of a kind; the head comes with them.
        let share = (wanted / lists.len().max(1)).min(QUERY_MAX);
        let at_once = (share + share / 4 + 9).min(QUERY_MAX);
        let from = after.map_or_else(|| FIRST.to_owned(), padded);
        let feed = |list| Feed { list, after: from.clone(), ahead: VecDeque::new(), count: None, ended: false };
        let feeds = lists.into_iter().map(feed).collect();
        let at_once = i32::try_from(at_once).unwrap_or(i32::MAX);
        Self { store, feeds, beside: beside.into(), all_beside, ended, at_once }
    }

    /// The next record by number that is not of an event that is gone.
    async fn next(&mut self) -> Result<Option<Row<T>>, StoreError> {
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
        let ahead = self.feeds.iter_mut().filter_map(|feed| Some((feed.ahead.front()?.0, &mut feed.ahead)));
        let first = ahead.min_by_key(|(id, _)| *id);
        let beside = self.beside.front().map(T::id);
        Ok(match first {
            Some((id, ahead)) if beside.is_none_or(|beside| id < beside) => {
                ahead.pop_front().map(|(_, item)| Row::Item(item))
            }
            _ => self.beside.pop_front().map(Row::Record),
        })
    }

    /// Reads on in every partition that has nothing ahead.
    async fn fill(&mut self) -> Result<(), StoreError> {
        let (store, at_once) = (self.store, self.at_once);
        let mut empty: Vec<_> = self.feeds.iter_mut().filter(|feed| feed.ahead.is_empty() && !feed.ended).collect();
        for feeds in empty.chunks_mut(AT_ONCE) {
            try_join_all(feeds.iter_mut().map(|feed| feed.read_on(store, at_once))).await?;
        }
        Ok(())
    }

    /// How many records the whole list has.
    async fn count(&self) -> Result<u64, StoreError> {
        let unknown: Vec<_> = self.feeds.iter().filter(|feed| feed.count.is_none()).collect();
        let keys = unknown.iter().map(|feed| head(feed.list.clone()).attributes()).collect();
        let heads = self.store.batch(keys).await?;
        let known: u64 = self.feeds.iter().filter_map(|feed| feed.count).sum();
        let left = self.ended.iter().map(|ended| match T::KIND {
            Kind::User | Kind::Event => 0,
            Kind::Session => ended.sessions,
            Kind::LoginToken => ended.login_tokens,
        });
        let all = self.all_beside + known + heads.iter().map(count_in).sum::<u64>();
        Ok(all.saturating_sub(left.sum()))
    }
}

impl Feed {
    async fn read_on(&mut self, store: &Store, limit: i32) -> Result<(), StoreError> {
        let query = store
            .client
            .query()
            .table_name(&*store.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK > :after")
            .expression_attribute_values(":pk", s(&self.list))
            .expression_attribute_values(":after", s(&self.after))
            .limit(limit);
        let output = query.send().await?;
        self.ended = output.last_evaluated_key.is_none();
        if self.after == FIRST {
            // A list that nothing was ever put into has no head.
            self.count = Some(0);
        }
        for item in output.items.unwrap_or_default() {
            let Some(key) = item.get("SK").and_then(|key| key.as_s().ok()) else { continue };
            self.after.clone_from(key);
            if key == HEAD {
                self.count = Some(count_in(&item));
            } else if let Ok(id) = key.parse() {
                self.ahead.push_back((id, item));
            }
        }
        Ok(())
    }
}

fn count_in(head: &Attributes) -> u64 {
    head.get("count").and_then(|count| count.as_n().ok()?.parse().ok()).unwrap_or(0)
}
