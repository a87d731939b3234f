//! Authentication of webhooks by signatures over their bodies (`docs/apis/ovenmediaengine.md`, `docs/apis/opentok.md`).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{clock::Timestamp, hs256, id::hex};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::backend::{same, which};

/// The index of the secret that signed an admission webhook's body, by its `X-OME-Signature`.
#[must_use]
pub fn admission_signer(signature: &[u8], body: &[u8], secrets: &[SecretString]) -> Option<usize> {
    // Some senders add padding, which has no meaning.
    let end = signature.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let Ok(given) = BASE64_URL_SAFE_NO_PAD.decode(&signature[..end]) else { return None };
    which(secrets.iter().map(|secret| {
        let mac = Hmac::<Sha1>::new_from_slice(secret.expose_secret().as_bytes());
        let right = mac.map(|mac| mac.chain_update(body).finalize().into_bytes());
        right.map_or(Choice::from(0), |right| right.as_slice().ct_eq(&given))
    }))
}

/// How far a callback's time may be from the present (`docs/apis/access.md`).
const CALLBACK_AGE: Duration = Duration::from_mins(5);

/// The claims in a signed callback of OpenTok.
#[derive(Deserialize)]
struct Claims {
    payload_hash: String,
    iat: Option<i64>,
    exp: Option<i64>,
    jti: Option<Value>,
}

impl Claims {
    /// Whether they are about this body, and recent.
    fn hold(&self, digest: &str, now: Timestamp) -> bool {
        let away = |time: i64| time.saturating_sub(now.seconds()).unsigned_abs();
        let is_near = |time: i64| away(time) <= CALLBACK_AGE.as_secs();
        let dated = self.iat.is_some() || self.exp.is_some();
        let iat = self.iat.is_none_or(is_near);
        let exp = self.exp.is_none_or(|exp| exp > now.seconds() && is_near(exp));
        dated && iat && exp && bool::from(same(&self.payload_hash.to_ascii_lowercase(), digest))
    }
}

/// The signature of a callback of OpenTok.
#[derive(Debug)]
pub struct Signed {
    /// The index of the secret that signed it.
    pub by: usize,
    /// The callback's `jti`, if it has one.
    pub id: Option<String>,
}

/// The secret that signed a callback of OpenTok. The callback's token has to be an HS256 JWT made with that secret. Its
/// time is at most 5 minutes away, it has not expired, and it carries the SHA-256 of the body.
#[must_use]
pub fn callback_signer(token: &str, body: &[u8], secrets: &[SecretString], now: Timestamp) -> Option<Signed> {
    hs256::install();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims::<&str>(&[]);
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let digest = hex(&Sha256::digest(body));
    let mut id = None;
    let by = which(secrets.iter().map(|secret| {
        let key = DecodingKey::from_secret(secret.expose_secret().as_bytes());
        let decoded = key.and_then(|key| jsonwebtoken::decode::<Claims>(token, &key, &validation));
        let good = decoded.ok().map(|decoded| decoded.claims).filter(|claims| claims.hold(&digest, now));
        let is_good = Choice::from(u8::from(good.is_some()));
        id = good.and_then(|claims| claims.jti).map(|jti| jti.to_string()).or(id.take());
        is_good
    }))?;
    Some(Signed { by, id })
}

/// The index of the secret at the end of a callback URL's query, as `key=…`. The provider signs the callbacks of some
/// projects only.
#[must_use]
pub fn callback_key(query: &str, secrets: &[SecretString]) -> Option<usize> {
    let given = query.rsplit('&').next()?.strip_prefix("key=")?;
    let given = SecretString::from(percent_decode_str(given).decode_utf8().ok()?.into_owned());
    which(secrets.iter().map(|secret| same(given.expose_secret(), secret.expose_secret())))
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
            jsonwebtoken::encode(
                &Header::new(Algorithm::HS256),
                claims,
                &EncodingKey::from_secret(secret.as_bytes()).unwrap(),
            )
        };
        let hash = hex(&Sha256::digest(b"body"));
        let now = NOW.seconds();
        let good = token(&json!({ "iat": now, "payload_hash": hash }), "secret").unwrap();
        let signed = |token: &str, body: &[u8]| {
            callback_signer(token, body, &secrets(&["old", "secret"]), NOW).map(|signed| signed.by) == Some(1)
        };
        assert!(signed(&good, b"body"));
        assert!(!signed(&good, b"another"));
        assert!(!signed(&format!("{good}x"), b"body"));
        for (claims, holds) in [
            (json!({ "payload_hash": hash }), false),
            (json!({ "payload_hash": "", "iat": now }), false),
            (json!({ "iat": now }), false),
            (json!({ "payload_hash": hash, "iat": now - 300 }), true),
            (json!({ "payload_hash": hash, "iat": now - 301 }), false),
            (json!({ "payload_hash": hash, "iat": now + 300 }), true),
            (json!({ "payload_hash": hash, "iat": now + 301 }), false),
            (json!({ "payload_hash": hash, "exp": now }), false),
            (json!({ "payload_hash": hash, "exp": now + 300 }), true),
            (json!({ "payload_hash": hash, "exp": now + 301 }), false),
            (json!({ "payload_hash": hash, "iat": now, "exp": now + 1 }), true),
            (json!({ "payload_hash": hash, "iat": now, "exp": now - 1 }), false),
            (json!({ "payload_hash": hash, "iat": now - 900, "exp": now + 1 }), false),
            (json!({ "payload_hash": hash, "iat": i64::MIN }), false),
            (json!({ "payload_hash": hash, "exp": i64::MAX }), false),
        ] {
            assert_eq!(signed(&token(&claims, "secret").unwrap(), b"body"), holds, "{claims}");
        }
        let claims = json!({ "payload_hash": hash, "iat": now, "jti": "one" });
        assert!(!signed(&token(&claims, "stolen").unwrap(), b"body"));
        let token = token(&claims, "secret").unwrap();
        let named = callback_signer(&token, b"body", &secrets(&["secret", "another"]), NOW).unwrap();
        assert_eq!((named.by, named.id.as_deref()), (0, Some("\"one\"")));
    }

    #[test]
    fn a_callbacks_url_may_end_in_the_secret() {
        let known = secrets(&["old", "se/cret"]);
        assert_eq!(callback_key("key=se%2Fcret", &known), Some(1));
        assert_eq!(callback_key("a=1&key=se/cret", &known), Some(1));
        for query in ["", "key", "key=", "key=se%2Fcret&a=1", "Key=old", "key=OLD", "xkey=old", "key=%ff"] {
            assert_eq!(callback_key(query, &known), None, "{query}");
        }
        assert_eq!(callback_key("key=", &[]), None);
    }
}
