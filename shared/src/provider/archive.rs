//! Archives: what a provider recorded of a session.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys of an archive that are between the provider and us.
const PRIVATE: [&str; 3] = ["partnerId", "projectId", "password"];

/// A page of a session's archives, newest first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Archives {
    /// How many archives the session has.
    pub count: usize,
    /// Those of this page, as the provider describes them to others.
    pub items: Vec<Map<String, Value>>,
}

impl Archives {
    /// These archives, without what is between the provider and us.
    pub(super) fn without_private_keys(mut self) -> Self {
        for item in &mut self.items {
            item.retain(|key, _| !PRIVATE.contains(&key.as_str()));
        }
        self
    }
}
