//! JWTs with RS256 (RFC 7515, RFC 7518), which Vonage verifies. Greenroom itself verifies no such token.
//!
//! `jsonwebtoken` is given no other algorithm than HS256, so that nobody can ask for one. What signs here is what TLS
//! already brings.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::config::RsaPrivateKey;
use rustls::{SignatureScheme, crypto::ring::sign, sign::Signer};
use serde::Serialize;

/// The header of every token.
const HEADER: &[u8] = br#"{"alg":"RS256","typ":"JWT"}"#;

/// A private key that signs.
pub(super) struct Rs256(Box<dyn Signer>);

impl Rs256 {
    /// A signer with this key. `None` if its numbers do not belong together, or if it has fewer than 2,048 bits or more
    /// than 4,096.
    pub(super) fn new(key: &RsaPrivateKey) -> Option<Self> {
        sign::any_supported_type(key.der()).ok()?.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).map(Self)
    }

    /// The token of these claims; `None` if it cannot be signed.
    pub(super) fn token(&self, claims: &impl Serialize) -> Option<String> {
        let claims = serde_json::to_vec(claims).ok()?;
        let mut token = BASE64_URL_SAFE_NO_PAD.encode(HEADER);
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.0.sign(token.as_bytes()).ok()?;
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }
}
