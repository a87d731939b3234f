//! Users: the people who manage events (`events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a user is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = UserRole)]
pub enum Role {
    /// Manages everything.
    Admin,
    /// Owns events, and makes managers.
    Partner,
    /// Manages the events that list them.
    Manager,
}

/// A user. Its password is kept apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Counts from 1.
    pub id: u64,
    /// Unique without regard to case; shown as it was typed.
    #[schema(max_length = 150)]
    pub username: String,
    /// May be empty.
    #[schema(max_length = 254)]
    pub email: String,
    /// May be empty.
    #[schema(max_length = 150)]
    pub first_name: String,
    /// May be empty.
    #[schema(max_length = 150)]
    pub last_name: String,
    /// Whether they are kept from logging in.
    pub blocked: bool,
    /// What they are.
    pub role: Role,
    /// Who made them.
    pub creator: Option<u64>,
}

impl User {
    /// Whether `self` made this one, a manager.
    #[must_use]
    pub fn has_manager(&self, other: &Self) -> bool {
        other.role == Role::Manager && other.creator == Some(self.id)
    }
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("User")
    }
}
