//! Pages of lists, merged by number from the partitions they lie in.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures_util::future::try_join_all;

use super::{
    Parent, Record, Stored, list_of, main_key,
    merged::Merged,
    padded,
    search::{Budget, Search},
};
use crate::store::{Attributes, Ended, Store, StoreError};

/// Most items a batch asks for.
pub(super) const BATCH_MAX: usize = 100;

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
    /// How many records are passed over, behind `after` where that is said.
    pub skip: u64,
    /// How many there may be.
    pub limit: usize,
    /// The number of the record that the page before ended with: what is passed over need not be read.
    pub after: Option<u64>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// How many records the whole list has; `None` where not all of it could be looked through.
    pub count: Option<u64>,
    /// Those of the page, by number.
    pub records: Vec<T>,
    /// Where more may follow: what the next page begins behind.
    pub next: Option<Next>,
}

/// Where a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The number of the last record that was looked at.
    pub after: u64,
    /// How many records are still to be passed over.
    pub skip: u64,
}

impl Store {
    /// A page of a list, by number.
    ///
    /// A list of everything of a kind of which few were made is read whole. Of any other the count comes from the lists'
    /// heads without `matches`, and as much is read as lies before the page's end, or nothing but the heads where the page
    /// lies behind all. With it, everything is looked through, until a budget is used up; the page then goes on from
    /// there.
    pub async fn page<T: Record>(
        &self,
        selection: Selection<T>,
        window: Window,
        matches: Option<&(dyn Fn(&T) -> bool + Send + Sync)>,
    ) -> Result<Page<T>, StoreError> {
        let selection = self.by_number(selection).await?;
        match matches {
            Some(matches) => self.matching_page(selection, window, matches).await,
            None => self.plain_page(selection, window).await,
        }
    }

    async fn plain_page<T: Record>(&self, selection: Selection<T>, window: Window) -> Result<Page<T>, StoreError> {
        let skip = usize::try_from(window.skip).unwrap_or(usize::MAX);
        let mut merged = Merged::of(self, selection, window.after, skip.saturating_add(window.limit));
        if window.skip > 0 && window.after.is_none() {
            let count = merged.count().await?;
            if window.skip >= count {
                return Ok(Page { count: Some(count), records: Vec::new(), next: None });
            }
        }
        merged.fill().await?;
        let count = merged.count().await?;
        for _ in 0..skip {
            merged.next().await?;
        }
        let mut records: Vec<T> = Vec::new();
        while records.len() < window.limit
            && let Some(record) = merged.next().await?
        {
            records.push(record.read()?);
        }
        let more = merged.next().await?.is_some();
        let next = records.last().filter(|_| more).map(|last| Next { after: last.id(), skip: 0 });
        Ok(Page { count: Some(count), records, next })
    }

    async fn matching_page<T: Record>(
        &self,
        selection: Selection<T>,
        Window { skip, limit, after }: Window,
        matches: &(dyn Fn(&T) -> bool + Send + Sync),
    ) -> Result<Page<T>, StoreError> {
        let mut search = Search { matches, budget: Budget::default(), found: Vec::new(), count: 0, last: after };
        let mut merged = Merged::searched(self, selection.clone(), after);
        // One more than the page has, to know whether another follows.
        let all = search.look_through(&mut merged, skip, limit + 1, None).await?;
        let next = match search.found.get(limit) {
            Some(_) => search.found.get(limit - 1).map(|last| Next { after: last.id(), skip: 0 }),
            None if all => None,
            None => search.last.map(|after| Next { after, skip: skip.saturating_sub(search.count) }),
        };
        let mut records = std::mem::take(&mut search.found);
        records.truncate(limit);
        // What lies before the page is counted too, as far as the budget goes.
        let counted = match after {
            Some(after) if all => {
                let mut before = Merged::searched(self, selection, None);
                search.look_through(&mut before, 0, 0, Some(after)).await?
            }
            _ => all,
        };
        Ok(Page { count: counted.then_some(search.count), records, next })
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
        for lost in 0..crate::store::CONFLICT_ATTEMPTS {
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
