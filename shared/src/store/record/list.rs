//! Pages of lists, merged by number from the partitions they lie in.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use futures_util::future::try_join_all;

use super::{Parent, Record, Stored, list_of, main_key, merged::Merged, padded};
use crate::store::{Attributes, Ended, Store, StoreError};

/// Most items a batch asks for.
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
    /// Whether there are more behind them.
    pub more: bool,
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
        let (mut records, mut more) = (Vec::new(), false);
        if window.after.is_some() || window.skip < count {
            for _ in 0..skip {
                merged.next().await?;
            }
            while records.len() < window.limit
                && let Some(record) = merged.next().await?
            {
                records.push(record.read()?);
            }
            more = merged.next().await?.is_some();
        }
        Ok(Page { count, records, more })
    }

    async fn matching_page<T: Record>(
        &self,
        selection: Selection<T>,
        window: Window,
        matches: &(dyn Fn(&T) -> bool + Send + Sync),
    ) -> Result<Page<T>, StoreError> {
        let mut merged = Merged::of(self, selection, None, usize::MAX);
        let mut page = Page { count: 0, records: Vec::new(), more: false };
        while let Some(record) = merged.next().await? {
            let record: T = record.read()?;
            if matches(&record) {
                let behind = window.after.map_or(page.count >= window.skip, |after| record.id() > after);
                page.count += 1;
                if behind && page.records.len() < window.limit {
                    page.records.push(record);
                } else {
                    page.more |= behind;
                }
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
