//! The signature of a media server.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha1::Sha1;

/// The signature of a media server for the body of an admission webhook (`docs/apis/ovenmediaengine.md`).
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "HMAC takes keys of any length")]
pub fn admission_signature(secret: &str, body: impl AsRef<[u8]>) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    BASE64_URL_SAFE_NO_PAD.encode(mac.chain_update(body).finalize().into_bytes())
}

/// Signs the body of an API Gateway event, if the event has `ADMISSION_SIGNATURE` in the place of the signature.
pub fn sign_admission(event: &mut Value, secret: &str) {
    if event["headers"]["x-ome-signature"] == "ADMISSION_SIGNATURE" {
        let signature = admission_signature(secret, event["body"].as_str().unwrap_or_default());
        event["headers"]["x-ome-signature"] = signature.into();
    }
}
