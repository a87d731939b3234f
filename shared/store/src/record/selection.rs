//! What a list is made of.

use super::Parent;
use crate::Ended;

/// The records that a list is made of.
#[derive(Clone, Debug)]
pub struct Selection<T> {
    /// The parents whose lists are read; `None` for everything of the kind.
    pub parents: Option<Vec<Parent>>,
    /// Further records beside those lists.
    pub beside: Vec<T>,
    /// Ended events, whose records are passed over.
    pub ended: Vec<Ended>,
}

impl<T> Selection<T> {
    /// Everything of the kind.
    #[must_use]
    pub fn all() -> Self {
        Self { parents: None, beside: Vec::new(), ended: Vec::new() }
    }

    /// The records in the lists of these parents.
    #[must_use]
    pub fn of(parents: impl IntoIterator<Item = Parent>) -> Self {
        Self { parents: Some(parents.into_iter().collect()), ..Self::all() }
    }

    /// Only these records.
    #[must_use]
    pub fn only(records: Vec<T>) -> Self {
        Self { parents: Some(Vec::new()), beside: records, ..Self::all() }
    }
}
