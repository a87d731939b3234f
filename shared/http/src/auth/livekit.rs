//! Authentication of a LiveKit server's webhooks (`docs/apis/livekit.md`).

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{clock::Timestamp, config::LiveKitKey, hs256};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use secrecy::ExposeSecret;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::Choice;

use super::backend::{same, which};

/// How far the server's clock may be from ours.
const LEEWAY: Duration = Duration::from_mins(1);

/// The claims in the token of a webhook.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    exp: i64,
    #[serde(default)]
    nbf: i64,
    sha256: String,
}

impl Claims {
    /// Whether a key made them now, about a body with this hash.
    fn hold(&self, key: &LiveKitKey, digest: &str, now: Timestamp) -> bool {
        let is_present = (now - LEEWAY).seconds() < self.exp && self.nbf <= (now + LEEWAY).seconds();
        self.iss == key.id && is_present && bool::from(same(&self.sha256, digest))
    }
}

/// The index of the key that signed a webhook. Its token has to be an HS256 JWT of that key, which is good now and has
/// the SHA-256 of the body.
#[must_use]
pub fn livekit_signer(token: &str, body: &[u8], keys: &[LiveKitKey], now: Timestamp) -> Option<usize> {
    hs256::install();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_required_spec_claims::<&str>(&[]);
    // These are checked by the clock that tests can stop.
    (validation.validate_exp, validation.validate_aud) = (false, false);
    let digest = BASE64_STANDARD.encode(Sha256::digest(body));
    which(keys.iter().map(|key| {
        let secret = DecodingKey::from_secret(key.secret.expose_secret().as_bytes());
        let decoded = secret.and_then(|secret| jsonwebtoken::decode::<Claims>(token, &secret, &validation));
        Choice::from(u8::from(decoded.is_ok_and(|decoded| decoded.claims.hold(key, &digest, now))))
    }))
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn keys() -> [LiveKitKey; 2] {
        [("old", "the-old-secret-of-the-livekit-server"), ("new", "the-new-secret-of-the-livekit-server")]
            .map(|(id, secret)| LiveKitKey { id: id.to_owned(), secret: secret.into() })
    }

    fn signed(claims: &Value, algorithm: Algorithm, secret: &str) -> Option<usize> {
        hs256::install();
        let key = EncodingKey::from_secret(secret.as_bytes()).unwrap();
        let token = jsonwebtoken::encode(&Header::new(algorithm), claims, &key).unwrap();
        livekit_signer(&token, b"body", &keys(), NOW)
    }

    fn claims(given: &Value) -> Value {
        let now = NOW.seconds();
        let hash = BASE64_STANDARD.encode(Sha256::digest(b"body"));
        let mut claims = json!({"iss": "new", "nbf": now, "exp": now + 300, "iat": now, "sha256": hash});
        claims.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
        claims
    }

    #[rstest]
    #[case::good(json!({}), true)]
    #[case::of_another_key(json!({"iss": "old"}), false)]
    #[case::of_an_unknown_key(json!({"iss": "another"}), false)]
    #[case::just_over(json!({"exp": 1_699_999_941}), true)]
    #[case::over(json!({"exp": 1_699_999_940}), false)]
    #[case::nearly_begun(json!({"nbf": 1_700_000_060}), true)]
    #[case::not_begun(json!({"nbf": 1_700_000_061}), false)]
    #[case::about_another_body(json!({"sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}), false)]
    #[case::about_no_body(json!({"sha256": ""}), false)]
    #[case::without_an_end(json!({"exp": null}), false)]
    fn a_webhook_is_signed_over_its_body(#[case] given: Value, #[case] good: bool) {
        assert_eq!(signed(&claims(&given), Algorithm::HS256, keys()[1].secret.expose_secret()), good.then_some(1));
        assert_eq!(signed(&claims(&given), Algorithm::HS256, "a-secret-that-nobody-has-configured"), None);
    }

    #[test]
    fn a_token_that_is_none_is_refused() {
        for token in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert_eq!(livekit_signer(token, b"body", &keys(), NOW), None);
        }
        assert_eq!(livekit_signer("", b"body", &[], NOW), None);
    }
}
