//! Static API tokens: 40 hexadecimal digits that a client carries for good (`docs/apis/events-api.md`).

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::entity::Entity;
use crate::{
    clock::Timestamp,
    id::{hex, random_bytes},
};

/// A static API token without its value. The table has only the hash of the value, as the key of the token's item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Entity)]
#[serde(rename_all = "camelCase")]
#[schema(as = KeptToken)]
#[entity(body = NewApiToken)]
pub struct ApiToken {
    /// Counts from 1.
    #[schema(example = 1)]
    pub id: u64,
    /// The name that its admins give it.
    #[schema(max_length = 255, pattern = r"\S", example = "Stage displays")]
    #[given(required, text)]
    pub name: String,
    /// Whether it belongs to a mobile client; false by default.
    #[schema(example = false)]
    #[given(boolean)]
    pub mobile: bool,
    /// When it was made.
    #[schema(ignore)]
    pub created_at: Timestamp,
}

/// The SHA-256 of a static API token. The table stores this instead of the token.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ApiTokenHash(String);

impl ApiTokenHash {
    /// The hash of this token.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(hex(&Sha256::digest(token.as_bytes())))
    }

    /// 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::opaque!(ApiTokenHash);

/// A new static API token, to be shown once, and the hash to store.
#[must_use]
pub fn generate() -> (SecretString, ApiTokenHash) {
    let token = SecretString::from(hex(&random_bytes::<20>()));
    let hash = ApiTokenHash::of(token.expose_secret());
    (token, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_forty_hexadecimal_digits() {
        let (token, hash) = generate();
        assert_eq!(token.expose_secret().len(), 40);
        assert_eq!(hash, ApiTokenHash::of(token.expose_secret()));
        assert_eq!(format!("{hash:?}"), "ApiTokenHash");
    }
}
