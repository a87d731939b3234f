//! Archives: a provider's recordings of sessions.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Keys of an archive that callers must not see.
const PRIVATE: [&str; 4] = ["partnerId", "projectId", "applicationId", "password"];

/// A page of a session's archives, newest first.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Archives {
    /// How many archives the session has.
    pub count: usize,
    /// The archives of this page, as callers see them.
    pub items: Vec<Map<String, Value>>,
}

impl Archives {
    /// These archives without the keys that callers must not see.
    pub(super) fn without_private_keys(mut self) -> Self {
        for item in &mut self.items {
            item.retain(|key, _| !PRIVATE.contains(&key.as_str()));
        }
        self
    }
}
