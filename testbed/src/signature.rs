//! The signatures of media servers.

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use greenroom_core::{clock::Clock, hs256};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The API key of the LiveKit server of tests.
pub const LIVEKIT_KEY: &str = "key-of-tests";
/// The secret of that key.
pub const LIVEKIT_SECRET: &str = "secret-of-the-livekit-server-of-the-tests";

/// The signature of a media server for the body of an admission webhook (`docs/apis/ovenmediaengine.md`).
#[must_use]
#[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "HMAC takes keys of any length")]
pub fn admission_signature(secret: &str, body: impl AsRef<[u8]>) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    BASE64_URL_SAFE_NO_PAD.encode(mac.chain_update(body).finalize().into_bytes())
}

/// The `Authorization` header of the LiveKit server for the body of a webhook, made at this time, in seconds since the
/// Unix epoch (`docs/apis/livekit.md`). Empty if the secret cannot sign.
#[must_use]
pub fn livekit_signature(body: impl AsRef<[u8]>, now: i64) -> String {
    hs256::install();
    let hash = BASE64_STANDARD.encode(Sha256::digest(body));
    let claims = json!({ "iss": LIVEKIT_KEY, "iat": now, "nbf": now, "exp": now + 300, "sha256": hash });
    let key = EncodingKey::from_secret(LIVEKIT_SECRET.as_bytes());
    let signed = key.and_then(|key| jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key));
    signed.unwrap_or_default()
}

/// Signs the body of an API Gateway event, if the event has `ADMISSION_SIGNATURE` or `LIVEKIT_SIGNATURE` in the place of
/// the signature. `admission` is the secret of admission webhooks.
pub fn sign_event(event: &mut Value, admission: &str) {
    let body = event["body"].as_str().unwrap_or_default().to_owned();
    if event["headers"]["x-ome-signature"] == "ADMISSION_SIGNATURE" {
        event["headers"]["x-ome-signature"] = admission_signature(admission, body).into();
    } else if event["headers"]["authorization"] == "LIVEKIT_SIGNATURE" {
        event["headers"]["authorization"] = livekit_signature(body, Clock::system().now().seconds()).into();
    }
}
