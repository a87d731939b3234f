//! Pages of lists. The partitions of a list are merged by number.

use super::{
    Parent, Record, Selection, Stored, list_of, main_key,
    merged::Merged,
    padded,
    search::{Budget, Search},
};
use crate::{Store, StoreError};

/// The part of a list that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How many records are passed over. With `after`, they are counted from there.
    pub skip: u64,
    /// The largest number of records.
    pub limit: usize,
    /// The number of the last record of the previous page. Nothing up to it has to be read.
    pub after: Option<u64>,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The number of records in the whole list. `None` if the budget did not reach to its end.
    pub count: Option<u64>,
    /// The records of the page, ordered by number.
    pub records: Vec<T>,
    /// Where the next page begins, if more may follow.
    pub next: Option<Next>,
}

/// Where a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// The number of the last record that was looked at.
    pub after: u64,
    /// How many records still have to be passed over.
    pub skip: u64,
}

impl Store {
    /// A page of a list, ordered by number.
    ///
    /// A short list of everything of a kind is read whole. For any other list without `matches`, the count comes from
    /// the list's counter items. Then only what lies before the end of the page is read, or nothing but the counter
    /// items if the page lies behind the end of the list. With `matches`, the whole list is looked through until a
    /// budget is used up. The page then says where to go on.
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
        // One more than the page has shows whether another page follows.
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
        let items = self.query(list_of(parent, T::KIND)).from(padded(0)).all().await?;
        Ok(serde_dynamo::from_items(items)?)
    }

    /// The existing records among these numbers, ordered by number.
    pub async fn records<T: Record>(&self, ids: &[u64]) -> Result<Vec<Stored<T>>, StoreError> {
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let keys: Vec<_> = ids.into_iter().map(|id| main_key::<T>(id).attributes()).collect();
        let mut records: Vec<Stored<T>> = serde_dynamo::from_items(self.batch(keys).await?)?;
        records.sort_by_key(|stored| stored.record.id());
        Ok(records)
    }
}
