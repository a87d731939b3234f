//! The entities of `/api/v2`: their fields, and which of them a request can set (`docs/apis/events-api.md`).

use serde::{Serialize, Serializer, de::DeserializeOwned};

pub use greenroom_derive::Entity;

/// An entity that organisers read and write. Derive it.
pub trait Entity: Clone + Serialize + DeserializeOwned {
    /// The fields that a request can set.
    type Fields;

    /// The names of the fields that answers have, in JSON.
    const SHOWN: &'static [&'static str];

    /// Reads the fields that a request gives.
    fn read(reader: &mut impl FieldReader) -> Self::Fields;

    /// This entity with the fields that a request gives. It keeps its other fields.
    #[must_use]
    fn with(&self, given: &Self::Fields) -> Self;

    /// Writes the fields that answers have.
    ///
    /// # Errors
    /// Those of the serializer.
    fn serialize_shown<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// A field that a request can set.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Whether POST and PUT have to give it.
    pub is_required: bool,
    /// Whether its text may be empty.
    pub may_be_blank: bool,
    /// The smallest number of characters of a text.
    pub min_length: usize,
    /// The largest number of characters of a text.
    pub max_length: usize,
    /// The largest number of elements of a list.
    pub max_items: usize,
}

impl Field {
    /// An optional field without limits.
    #[must_use]
    pub const fn named(name: &'static str) -> Self {
        let (is_required, may_be_blank) = (false, true);
        Self { name, is_required, may_be_blank, min_length: 0, max_length: usize::MAX, max_items: usize::MAX }
    }
}

/// Reads the fields of a request. It collects the problems that it finds, and returns `None` for a field that has one
/// or that the request leaves out.
pub trait FieldReader {
    /// A text.
    fn text(&mut self, field: &Field) -> Option<String>;

    /// A text or null.
    fn nullable_text(&mut self, field: &Field) -> Option<Option<String>>;

    /// A mail address, or an empty text.
    fn email(&mut self, field: &Field) -> Option<String>;

    /// A boolean.
    fn boolean(&mut self, field: &Field) -> Option<bool>;

    /// One of the values of an enum.
    fn choice<T: DeserializeOwned>(&mut self, field: &Field) -> Option<T>;

    /// The number of another entity.
    fn number(&mut self, field: &Field) -> Option<u64>;

    /// The number of another entity, or null.
    fn nullable_number(&mut self, field: &Field) -> Option<Option<u64>>;

    /// The numbers of other entities, each once, in the order in which the request gives them.
    fn numbers(&mut self, field: &Field) -> Option<Vec<u64>>;
}
