//! The key of the hashes that stand for what has no id of ours.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{hex, random_bytes};

/// Key of the hash that makes a [`DeviceId`] of an identifier.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(String);

impl DeviceKey {
    /// A new key.
    #[must_use]
    pub fn random() -> Self {
        Self(hex(&random_bytes::<32>()))
    }

    /// What stands for something in the table that is not to be read there: a keyed hash, of one kind.
    #[must_use]
    pub fn digest(&self, kind: &str, parts: &[&str]) -> [u8; 32] {
        let mac = parts.iter().fold(self.mac().chain_update(kind), |mac, part| {
            // With its length, so that no two lists of parts are one text.
            mac.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
        });
        mac.finalize().into_bytes().into()
    }

    /// What stands for a credential's value: 64 bits of its keyed hash. The key lies beside it, so a value that could be
    /// guessed could be found; those that a deployment takes cannot be.
    #[must_use]
    pub fn fingerprint(&self, setting: &str, secret: &str) -> String {
        self.tag(["credential", setting, secret])
    }

    /// What stands in the log for something of this kind that has no number of ours (`docs/apis/access.md`): 64 bits of
    /// its keyed hash.
    #[must_use]
    pub fn pseudonym(&self, kind: &str, value: &str) -> String {
        self.tag(["log", kind, value])
    }

    fn tag(&self, [purpose, kind, value]: [&str; 3]) -> String {
        let mac = self.mac().chain_update(purpose).chain_update("\0");
        let mac = mac.chain_update(kind).chain_update("\0").chain_update(value);
        hex(&mac.finalize().into_bytes()[..8])
    }

    /// The keyed hash of an identifier.
    pub(super) fn hash(&self, identifier: &str) -> [u8; 32] {
        self.mac().chain_update(identifier).finalize().into_bytes().into()
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(self.0.as_bytes()).expect("HMAC takes keys of any length")
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey")
    }
}
