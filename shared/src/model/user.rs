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
    #[schema(example = 3)]
    pub id: u64,
    /// Unique without regard to case; shown as it was typed.
    #[schema(max_length = 150, example = "alice")]
    pub username: String,
    /// May be empty.
    #[schema(max_length = 254, example = "alice@company.example")]
    pub email: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Alice")]
    pub first_name: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Example")]
    pub last_name: String,
    /// Whether they are kept from logging in.
    #[schema(example = false)]
    pub blocked: bool,
    /// What they are.
    #[schema(example = "manager")]
    pub role: Role,
    /// Who made them.
    #[schema(example = 2)]
    pub creator: Option<u64>,
}

impl User {
    /// A username as it is compared: names that differ in case only are one. Capitals alone would not do, nor small
    /// letters: a Greek sigma has two of those, `ß` no capital.
    #[must_use]
    pub fn folded(username: &str) -> String {
        username.to_lowercase().to_uppercase().to_lowercase()
    }

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

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Alice", "aLICE")]
    #[case("ΟΔΥΣΣΕΥΣ", "οδυσσευς")]
    #[case("οδυσσευσ", "οδυσσευς")]
    #[case("Straße", "STRASSE")]
    #[case("STRAẞE", "straße")]
    #[case("ÉMILE", "émile")]
    fn names_that_differ_in_case_only_are_one(#[case] a: &str, #[case] b: &str) {
        assert_eq!(User::folded(a), User::folded(b));
    }
}
