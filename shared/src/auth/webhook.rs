//! Whether a webhook comes from whom it says: signatures over its body (`ovenmediaengine.md`, `opentok.md`).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{
    backend::{same, which},
    hs256,
};
use crate::{clock::Timestamp, id::hex};

/// Which of these secrets an admission webhook's `X-OME-Signature` is made with, over its body.
#[must_use]
pub fn admission_signer(signature: &[u8], body: &[u8], secrets: &[SecretString]) -> Option<usize> {
    // Padding tells nothing, and some senders add it.
    let end = signature.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let Ok(given) = BASE64_URL_SAFE_NO_PAD.decode(&signature[..end]) else { return None };
    which(secrets.iter().map(|secret| {
        let mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes());
        let right = mac.map(|mac| mac.chain_update(body).finalize().into_bytes());
        right.map_or(Choice::from(0), |right| right.as_slice().ct_eq(&given))
    }))
}

/// What a signed callback of OpenTok's says of itself.
#[derive(Deserialize)]
struct Claims {
    payload_hash: String,
    exp: Option<i64>,
}

/// Which of these secrets a callback of OpenTok's is signed with: its token is an HS256 JWT made with it, has not ended,
/// and carries the SHA-256 of the body.
#[must_use]
pub fn callback_signer(token: &str, body: &[u8], secrets: &[SecretString], now: Timestamp) -> Option<usize> {
    hs256::install();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims::<&str>(&[]);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let digest = hex(&Sha256::digest(body));
    let is_good = |claims: Claims| {
        let ended = claims.exp.is_some_and(|exp| Timestamp::from_seconds(exp) <= now);
        !ended && bool::from(same(&claims.payload_hash.to_ascii_lowercase(), &digest))
    };
    which(secrets.iter().map(|secret| {
        let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
        let good =
            jsonwebtoken::decode::<Claims>(token, &key, &validation).is_ok_and(|decoded| is_good(decoded.claims));
        Choice::from(u8::from(good))
    }))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from((*text).to_owned())).collect()
    }

    #[test]
    fn the_contracts_vector_is_signed() {
        let body = br#"{"client":{"address":"80.191.211.65","port":51600},"request":{"direction":"incoming","protocol":"RTMP","time":"2021-12-14T15:10:00.524+0000","url":"rtmp://x.x.x.x:19350/live/test"}}"#;
        let signature = "-zmMkQ_-ttwQ0CnOpIpgYcLOBn4";
        let signed = |signature: &str, body: &[u8], known: &[&str]| {
            admission_signer(signature.as_bytes(), body, &secrets(known)).is_some()
        };
        assert!(signed(signature, body, &["1234"]));
        assert!(signed(&format!("{signature}="), body, &["another", "1234"]));
        assert!(!signed(signature, body, &["12345"]));
        assert!(!signed(signature, body, &[]));
        assert!(!signed(signature, &body[1..], &["1234"]));
        for other in ["", "=", &signature[1..], "+zmMkQ/+ttwQ0CnOpIpgYcLOBn4"] {
            assert!(!signed(other, body, &["1234"]), "{other}");
        }
    }

    #[test]
    fn a_callback_is_signed_over_its_body() {
        hs256::install();
        let token = |claims: &Value, secret: &str| {
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes()))
        };
        let hash = hex(&Sha256::digest(b"body"));
        let good = token(&json!({ "iat": 1, "payload_hash": hash }), "secret").unwrap();
        let signed =
            |token: &str, body: &[u8]| callback_signer(token, body, &secrets(&["old", "secret"]), NOW) == Some(1);
        assert!(signed(&good, b"body"));
        assert!(!signed(&good, b"another"));
        assert!(!signed(&format!("{good}x"), b"body"));
        for claims in [json!({ "payload_hash": hash, "exp": 1 }), json!({ "payload_hash": "" }), json!({ "iat": 1 })] {
            assert!(!signed(&token(&claims, "secret").unwrap(), b"body"), "{claims}");
        }
        assert!(!signed(&token(&json!({ "payload_hash": hash }), "stolen").unwrap(), b"body"));
    }
}
