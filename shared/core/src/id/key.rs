//! The key of the hashes that replace identifiers, addresses and names in the table and in logs.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{hex, random_bytes};

/// The key of the keyed hashes. It also makes a [`DeviceId`](super::DeviceId) from a device's identifier.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceKey(String);

impl DeviceKey {
    /// A new key.
    #[must_use]
    pub fn random() -> Self {
        Self(hex(&random_bytes::<32>()))
    }

    /// A keyed hash of one kind. It replaces a value that must not be readable in the table.
    #[must_use]
    pub fn digest(&self, kind: &str, parts: &[&str]) -> [u8; 32] {
        let mac = parts.iter().fold(self.mac().chain_update(kind), |mac, part| {
            // With the length, no two lists of parts make the same text.
            mac.chain_update((part.len() as u64).to_be_bytes()).chain_update(part)
        });
        mac.finalize().into_bytes().into()
    }

    /// The fingerprint of a credential's value: 64 bits of its keyed hash. The key lies beside it, so a reader of the
    /// table could find a value that can be guessed. Deployments take no such values.
    #[must_use]
    pub fn fingerprint(&self, setting: &str, secret: &str) -> String {
        self.tag(["credential", setting, secret])
    }

    /// The pseudonym in the log of a thing of this kind without a number (`docs/apis/access.md`): 64 bits of its keyed
    /// hash.
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

crate::opaque!(DeviceKey);
