//! The form of a user in answers.

use greenroom_core::model::{self, user::Role};
use serde::Serialize;
use utoipa::ToSchema;

/// A user, without their password.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// Counts from 1.
    #[schema(example = 3)]
    id: u64,
    /// Unique without regard to case, and shown as it was typed.
    #[schema(max_length = 150, example = "alice")]
    username: String,
    /// May be empty.
    #[schema(max_length = 254, example = "alice@company.example")]
    email: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Alice")]
    first_name: String,
    /// May be empty.
    #[schema(max_length = 150, example = "Example")]
    last_name: String,
    /// Whether the user is blocked, and so cannot log in.
    #[schema(example = false)]
    blocked: bool,
    /// Their role.
    #[schema(example = "manager")]
    role: Role,
    /// The number of the user who made this user.
    #[schema(example = 2)]
    creator: Option<u64>,
}

impl From<model::User> for User {
    fn from(user: model::User) -> Self {
        // The login epoch is not for callers.
        let model::User { id, username, email, first_name, last_name, blocked, role, creator, token_epoch: _ } = user;
        Self { id, username, email, first_name, last_name, blocked, role, creator }
    }
}
