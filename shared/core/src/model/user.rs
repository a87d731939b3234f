//! Users: the people who manage events (`docs/apis/events-api.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::entity::Entity;

/// The role of a user.
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

/// A user, without their password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Entity)]
#[serde(rename_all = "camelCase")]
#[entity(body = NewUser)]
pub struct User {
    /// Counts from 1.
    #[schema(example = 3)]
    pub id: u64,
    /// Unique without regard to case, and shown as it was typed.
    #[schema(max_length = 150, pattern = r"\S", example = "alice")]
    #[given(required, text)]
    pub username: String,
    /// May be empty.
    #[schema(max_length = 254, example = "alice@company.example")]
    #[given(email)]
    pub email: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Alice")]
    #[given(text)]
    pub first_name: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Example")]
    #[given(text)]
    pub last_name: String,
    /// Whether the user is blocked, and so cannot log in.
    #[schema(example = false)]
    pub blocked: bool,
    /// Their role.
    #[given(required, choice)]
    pub role: Role,
    /// The number of the user who made this user. Only admins can choose it.
    #[schema(example = 2)]
    #[given(nullable_number)]
    pub creator: Option<u64>,
    /// How often all their logins were ended. A token is valid only in the epoch in which it was made
    /// (`docs/apis/access.md`).
    #[serde(default)]
    #[schema(ignore)]
    pub token_epoch: u64,
}

impl User {
    /// A new user. Their other fields are empty.
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

    /// A username in the form in which usernames are compared. Usernames that differ only in case have the same form.
    /// One conversion is not enough: a Greek sigma has two lower-case forms, and `ß` has no capital.
    #[must_use]
    pub fn folded(username: &str) -> String {
        username.to_lowercase().to_uppercase().to_lowercase()
    }

    /// This user after all their logins were ended.
    #[must_use]
    pub fn logged_out(&self) -> Self {
        Self { token_epoch: self.token_epoch.saturating_add(1), ..self.clone() }
    }

    /// This user after they were blocked. That ends their tokens for good; unblocking makes none of them valid again
    /// (`docs/apis/access.md`).
    #[must_use]
    pub fn block(&self) -> Self {
        Self { blocked: true, ..self.logged_out() }
    }

    /// This user after they were unblocked. They can log in again.
    #[must_use]
    pub fn unblock(&self) -> Self {
        Self { blocked: false, ..self.clone() }
    }

    /// Whether this user made another user, who is a manager.
    #[must_use]
    pub fn has_manager(&self, other: &Self) -> bool {
        other.role == Role::Manager && other.creator == Some(self.id)
    }
}

crate::opaque!(User);

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
