//! T1 tokens, which participants present to the media provider (`docs/apis/opentok.md`).

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    clock::Timestamp,
    config::OpenTok,
    id::{ProviderSessionId, hex, random_bytes},
    model::is_of_project,
};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::ExposeSecret;
use serde::Serialize;
use sha1::Sha1;
use utoipa::ToSchema;

use super::form;

#[cfg(test)]
mod tests;

/// How long a token lives by default.
pub const T1_TTL: Duration = Duration::from_hours(24);
/// The longest life of a token, in seconds.
const TTL_MAX: i64 = 2_592_000;
/// The largest number of code points in a token's connection data.
const CONNECTION_DATA_MAX: usize = 1000;
/// The length of a signature in hexadecimal digits.
const SIGNATURE_LEN: usize = 40;
/// The bytes of a token's data besides the encoded values: names, times, role and nonce, with a reserve.
const DATA_REST: usize = 192;

/// The rights of a participant in a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum T1Role {
    /// Watch and listen.
    Subscriber,
    /// Also send streams.
    Publisher,
    /// Also end the streams and connections of others.
    Moderator,
    /// Send streams, and receive none.
    PublisherOnly,
}

impl T1Role {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Subscriber => "subscriber",
            Self::Publisher => "publisher",
            Self::Moderator => "moderator",
            Self::PublisherOnly => "publisheronly",
        }
    }
}

/// A token as its participant presents it.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "T1==cGFydG5lcl9pZD00NTgyODA2MiZzaWc9")]
pub struct T1Token(String);

impl T1Token {
    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

greenroom_core::opaque!(T1Token);

impl From<T1Token> for String {
    fn from(token: T1Token) -> Self {
        token.0
    }
}

/// Why a token cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum T1Error {
    /// The session's id cannot be read, or belongs to another project.
    #[error("the session is not one of our project")]
    Session,
    /// The token would end before now, or more than 30 days from now.
    #[error("a token ends between now and 30 days from now")]
    Expiry,
    /// The connection data has more than 1,000 code points.
    #[error("the connection data has more than {CONNECTION_DATA_MAX} characters")]
    ConnectionData,
    /// The private key cannot sign.
    #[error("the private key cannot sign")]
    Key,
}

/// The rights that a token gives.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'a> {
    /// The session.
    pub session: &'a ProviderSessionId,
    /// The role in it.
    pub role: T1Role,
    /// When the token ends, rounded down to a second.
    pub expires_at: Timestamp,
    /// The text about the connection that other participants see: an id, never a secret. It may be empty.
    pub connection_data: &'a str,
}

impl Grant<'_> {
    /// Whether a provider takes a token with this end and these data.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), T1Error> {
        let life = self.expires_at.seconds().saturating_sub(now.seconds());
        if !(0..=TTL_MAX).contains(&life) {
            return Err(T1Error::Expiry);
        }
        let is_short = self.connection_data.chars().count() <= CONNECTION_DATA_MAX;
        if is_short { Ok(()) } else { Err(T1Error::ConnectionData) }
    }
}

/// Makes the tokens of one project.
#[derive(Clone)]
pub struct TokenSigner {
    api_key: String,
    /// The key's own blocks are hashed once here, and not for each token.
    mac: Hmac<Sha1>,
    /// The next token's nonce. It only has to differ from the others of the same second. Counting from any number is
    /// enough, and needs no request to the operating system for each token.
    nonce: Arc<AtomicU32>,
}

greenroom_core::opaque!(TokenSigner);

impl TokenSigner {
    /// The signer of this project.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "HMAC takes keys of any length")]
    pub fn new(project: &OpenTok) -> Self {
        let secret = project.api_secret.expose_secret().as_bytes();
        #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
        let mac = Hmac::new_from_slice(secret).expect("HMAC takes keys of any length");
        let nonce = Arc::new(AtomicU32::new(u32::from_le_bytes(random_bytes())));
        Self { api_key: project.api_key.clone(), mac, nonce }
    }

    /// Whether tokens for this session can be made: its id can be read, and belongs to this project.
    #[must_use]
    pub fn knows(&self, session: &ProviderSessionId) -> bool {
        is_of_project(session, &self.api_key)
    }

    /// A new token. No two are the same.
    ///
    /// # Errors
    /// The provider's own libraries refuse such a token.
    pub fn token(&self, grant: &Grant<'_>, now: Timestamp) -> Result<T1Token, T1Error> {
        self.sign(grant, now, self.nonce.fetch_add(1, Ordering::Relaxed), "")
    }

    fn sign(&self, grant: &Grant<'_>, now: Timestamp, nonce: u32, layout: &str) -> Result<T1Token, T1Error> {
        grant.check(now)?;
        if !self.knows(grant.session) {
            return Err(T1Error::Session);
        }
        let data = data(grant, now, nonce, layout);
        let signature = self.mac.clone().chain_update(&data).finalize().into_bytes();
        let mut text = String::with_capacity(self.api_key.len() + SIGNATURE_LEN + data.len() + 17);
        text.extend(["partner_id=", &self.api_key, "&sig="]);
        text.push_str(&hex(&signature));
        text.extend([":", &data]);
        let mut token = String::with_capacity(4 + text.len().div_ceil(3) * 4);
        token.push_str("T1==");
        BASE64_STANDARD.encode_string(text, &mut token);
        Ok(T1Token(token))
    }
}

/// The text that is signed. The contract defines the order of the values.
fn data(grant: &Grant<'_>, now: Timestamp, nonce: u32, layout: &str) -> String {
    let values = grant.session.as_str().len() + layout.len() + grant.connection_data.len();
    let mut data = String::with_capacity(values + DATA_REST);
    data.push_str("session_id=");
    form::append(&mut data, grant.session.as_str());
    let (created, expires, role) = (now.seconds(), grant.expires_at.seconds(), grant.role.as_str());
    // Writing to a `String` does not fail.
    let _ = write!(data, "&create_time={created}&expire_time={expires}&role={role}&nonce={nonce}");
    data.push_str("&initial_layout_class_list=");
    form::append(&mut data, layout);
    if !grant.connection_data.is_empty() {
        data.push_str("&connection_data=");
        form::append(&mut data, grant.connection_data);
    }
    data
}
