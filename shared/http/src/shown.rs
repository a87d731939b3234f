//! Entities in answers.

use greenroom_core::model::entity::Entity;
use serde::{Serialize, Serializer};

/// An entity in an answer. It leaves out the fields that callers do not see. The OpenAPI document has the schema of `T`.
pub struct Shown<T>(pub T);

impl<T: Entity> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_shown(serializer)
    }
}
