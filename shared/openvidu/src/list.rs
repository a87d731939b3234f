//! Lists, in OpenVidu's form.

use serde::Serialize;
use utoipa::ToSchema;

/// A list, in OpenVidu's form.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct List<T> {
    /// The number of elements.
    #[schema(example = 1)]
    number_of_elements: usize,
    /// The elements.
    content: Vec<T>,
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(content: I) -> Self {
        let content: Vec<T> = content.into_iter().collect();
        Self { number_of_elements: content.len(), content }
    }
}
