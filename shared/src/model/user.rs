//! Users: the people who manage events (`docs/apis/events-api.md`).

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

impl Role {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Partner => "partner",
            Self::Manager => "manager",
        }
    }
}

/// A user, as they lie in the table. Their password is kept apart.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// Counts from 1.
    pub id: u64,
    /// Unique without regard to case; shown as it was typed.
    pub username: String,
    /// May be empty.
    pub email: String,
    /// May be empty.
    pub first_name: String,
    /// May be empty.
    pub last_name: String,
    /// Whether they are kept from logging in.
    pub blocked: bool,
    /// What they are.
    pub role: Role,
    /// Who made them.
    pub creator: Option<u64>,
    /// How often all their logins were ended; a token is good in the epoch that it was made in (`docs/apis/access.md`).
    #[serde(default)]
    pub token_epoch: u64,
}

impl User {
    /// A user of whom nothing else is known.
    #[must_use]
    pub fn named(id: u64, username: &str, role: Role) -> Self {
        Self {
            id,
            username: username.to_owned(),
            email: String::new(),
            first_name: String::new(),
            last_name: String::new(),
            blocked: false,
            role,
            creator: None,
            token_epoch: 0,
        }
    }

    /// A username as it is compared: names that differ in case only are one. Capitals alone would not do, nor small
    /// letters: a Greek sigma has two of those, `ß` no capital.
    #[must_use]
    pub fn folded(username: &str) -> String {
        username.to_lowercase().to_uppercase().to_lowercase()
    }

    /// They with all their logins ended.
    #[must_use]
    pub fn logged_out(&self) -> Self {
        Self { token_epoch: self.token_epoch.saturating_add(1), ..self.clone() }
    }

    /// They, kept from logging in. Their tokens have ended, and letting them in again revives none
    /// (`docs/apis/access.md`).
    #[must_use]
    pub fn block(&self) -> Self {
        Self { blocked: true, ..self.logged_out() }
    }

    /// They, let in again.
    #[must_use]
    pub fn unblock(&self) -> Self {
        Self { blocked: false, ..self.clone() }
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
