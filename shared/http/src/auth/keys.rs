//! Signing and verifying Greenroom's own tokens. They are HS256 JWTs (RFC 7519) with `kid` in the header, and each
//! family of tokens has one audience.

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::hs256;
use greenroom_core::{
    clock::Timestamp,
    config::SigningKey,
    id::{DeviceId, DeviceSessionId},
    model::DeviceSession,
};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::last_used::UsedMark;

/// The audience of device tokens.
const DEVICE: &str = "device";

/// The claims of a device token (`docs/apis/device-sessions.md`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeviceClaims {
    aud: String,
    /// The id of the session.
    pub session: DeviceSessionId,
    /// The id of the session's device.
    pub sub: DeviceId,
    /// The number of the token among the session's tokens.
    pub generation: u64,
    iat: i64,
    exp: i64,
}

impl DeviceClaims {
    /// The claims of a session's present token.
    #[must_use]
    pub fn of(device: DeviceId, id: DeviceSessionId, session: &DeviceSession) -> Self {
        Self {
            aud: DEVICE.to_owned(),
            session: id,
            sub: device,
            generation: session.generation,
            iat: session.refreshed_at.seconds(),
            exp: session.expires_at.seconds(),
        }
    }
}

/// The signing keys. The first one signs; tokens of all of them are valid.
#[derive(Clone)]
pub struct SigningKeys(Arc<[Key]>);

struct Key {
    kid: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// The key for tags on other things than tokens.
    mac: Hmac<Sha256>,
    /// The mark that is set when the key signed a token or verified one.
    mark: UsedMark,
}

greenroom_core::opaque!(SigningKeys);

impl SigningKeys {
    /// These keys. A key whose secret is empty or not base64 signs nothing; the configuration refuses such a key.
    #[must_use]
    pub fn new(keys: &[SigningKey]) -> Self {
        hs256::install();
        let keys = keys.iter().filter_map(|key| {
            let secret = BASE64_STANDARD.decode(key.secret.expose_secret()).ok()?;
            let (encoding, decoding) =
                (EncodingKey::from_secret(&secret).ok()?, DecodingKey::from_secret(&secret).ok()?);
            let mac = Hmac::new_from_slice(&secret).ok()?.chain_update("cursor");
            Some(Key { kid: key.kid.clone(), encoding, decoding, mac, mark: UsedMark::default() })
        });
        Self(keys.collect())
    }

    /// The id of the key that signs; `None` if there is no key.
    #[must_use]
    pub fn signing(&self) -> Option<&str> {
        self.0.first().map(|key| key.kid.as_str())
    }

    /// The mark that is set when the key with this id is used.
    pub(crate) fn mark(&self, kid: &str) -> Option<UsedMark> {
        self.0.iter().find(|key| key.kid == kid).map(|key| key.mark.clone())
    }

    /// The token of these claims, signed with the key of this id. It is always the same to the byte. `None` if that key
    /// is gone.
    #[must_use]
    pub fn sign(&self, claims: &DeviceClaims, kid: &str) -> Option<String> {
        self.encode(claims, kid)
    }

    pub(super) fn encode(&self, claims: &impl Serialize, kid: &str) -> Option<String> {
        let key = self.0.iter().find(|key| key.kid == kid)?;
        let header = Header { kid: Some(key.kid.clone()), ..Header::new(Algorithm::HS256) };
        key.mark.set();
        jsonwebtoken::encode(&header, claims, &key.encoding).ok()
    }

    /// The claims of a device token. `None` if the token is malformed, signed with another key or algorithm, of another
    /// family, or expired.
    #[must_use]
    pub fn verify(&self, token: &str, now: Timestamp) -> Option<DeviceClaims> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.set_audience(&[DEVICE]);
        let claims: DeviceClaims = self.decode(token, validation)?;
        (now < Timestamp::from_seconds(claims.exp)).then_some(claims)
    }

    /// The claims of a token, expired or not.
    pub(super) fn decode<C: DeserializeOwned>(&self, token: &str, mut validation: Validation) -> Option<C> {
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.0.iter().find(|key| key.kid == kid)?;
        // The library reads the machine's clock. Callers compare with `Clock`.
        validation.validate_exp = false;
        let decoded = jsonwebtoken::decode(token, &key.decoding, &validation).ok()?;
        key.mark.set();
        Some(decoded.claims)
    }

    /// Whether this tag shows that Greenroom made the data, which is something other than a token.
    pub(super) fn is_tag(&self, given: &[u8], data: &[u8]) -> bool {
        // All keys are compared, whichever matches.
        self.tags(data).fold(Choice::from(0), |known, tag| known | tag.as_slice().ct_eq(given)).into()
    }

    /// The tags that show that Greenroom made something other than a token: one for each key, the signing key's first.
    pub(super) fn tags(&self, data: &[u8]) -> impl Iterator<Item = [u8; 16]> {
        self.0.iter().map(move |key| {
            let tag = key.mac.clone().chain_update(data).finalize().into_bytes();
            std::array::from_fn(|index| tag[index])
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use serde_json::{Value, json};
    use sha2::Sha384;

    use super::*;
    use greenroom_core::id::DeviceKey;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn key(kid: &str, byte: u8) -> SigningKey {
        SigningKey { kid: kid.to_owned(), secret: BASE64_STANDARD.encode([byte; 32]).into(), created_at: None }
    }

    fn claims() -> DeviceClaims {
        let session = DeviceSession::begin(NOW, Duration::from_mins(1), "old".to_owned());
        DeviceClaims::of(DeviceId::of("phone", &DeviceKey::random()), DeviceSessionId::random(), &session)
    }

    /// A token with one claim or header changed, signed with the key `old`.
    fn forged(header: &Header, change: impl Fn(&mut Value)) -> String {
        let mut claims = serde_json::to_value(claims()).unwrap();
        change(&mut claims);
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(serde_json::to_value(header).unwrap()), part(claims));
        let signature = match header.alg {
            Algorithm::HS384 => signature::<Hmac<Sha384>>(&input),
            _ => signature::<Hmac<Sha256>>(&input),
        };
        format!("{input}.{signature}")
    }

    fn signature<M: Mac + KeyInit>(input: &str) -> String {
        let mac = <M as KeyInit>::new_from_slice(&[1; 32]).unwrap().chain_update(input);
        BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }

    fn header(kid: Option<&str>, algorithm: Algorithm) -> Header {
        Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) }
    }

    #[test]
    fn a_rotated_key_still_verifies_and_the_first_signs() {
        let before = SigningKeys::new(&[key("old", 1)]);
        let after = SigningKeys::new(&[key("new", 2), key("old", 1)]);
        assert_eq!(after.signing(), Some("new"));
        let claims = claims();
        let token = before.sign(&claims, "old").unwrap();
        assert!(after.verify(&token, NOW).is_some());
        assert_eq!(after.sign(&claims, "old"), Some(token));
        assert!(before.verify(&after.sign(&claims, "new").unwrap(), NOW).is_none());
    }

    #[test]
    fn a_token_is_good_until_the_second_it_ends() {
        let keys = SigningKeys::new(&[key("old", 1)]);
        let token = keys.sign(&claims(), "old").unwrap();
        assert!(keys.verify(&token, NOW + Duration::from_millis(59_999)).is_some());
        assert!(keys.verify(&token, NOW + Duration::from_mins(1)).is_none());
    }

    #[test]
    fn a_token_that_is_not_quite_ours_is_refused() {
        let keys = SigningKeys::new(&[key("old", 1)]);
        let ours = header(Some("old"), Algorithm::HS256);
        assert!(keys.verify(&forged(&ours, |_| {}), NOW).is_some());
        let refused = [
            forged(&ours, |claims| claims["aud"] = json!("organiser")),
            forged(&ours, |claims| claims["aud"] = Value::Null),
            forged(&ours, |claims| claims["exp"] = Value::Null),
            forged(&ours, |claims| claims["session"] = json!(7)),
            forged(&header(None, Algorithm::HS256), |_| {}),
            forged(&header(Some("new"), Algorithm::HS256), |_| {}),
            forged(&header(Some("old"), Algorithm::HS384), |_| {}),
            forged(&ours, |_| {}) + "x",
            "eyJhbGciOiJub25lIiwia2lkIjoib2xkIn0.e30.".to_owned(),
            String::new(),
        ];
        for token in refused {
            assert!(keys.verify(&token, NOW).is_none(), "{token}");
        }
    }
}
