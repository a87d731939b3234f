//! TTL caches of recent reads, for the minute in which everybody joins (`docs/apis/events-api.md`, rtcsessions).

use std::{
    hash::Hash,
    sync::{Arc, OnceLock},
    time::Duration,
};

use greenroom_core::{
    clock::Timestamp,
    id::{DeviceId, ProviderSessionId, random_bytes},
    model::{ApiToken, Device, Event, EventSession, LoginToken, api_token::ApiTokenHash, guesses::TokenGuesses},
    password::{self, PasswordError, PasswordHash},
};
use hmac::{Hmac, KeyInit, Mac};
use quick_cache::sync::Cache;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// How long a cached value counts as present.
const FOR: Duration = Duration::from_secs(5);
/// The capacity of each cache.
const CAPACITY: usize = 10_000;

/// The caches of a process.
#[derive(Debug)]
pub struct Caches {
    /// Static API tokens by their hashes.
    pub api_tokens: TtlCache<ApiTokenHash, ApiToken>,
    /// Devices by their ids.
    pub devices: TtlCache<DeviceId, Arc<Device>>,
    /// Login tokens by the text that participants type in.
    pub login_tokens: TtlCache<String, Arc<LoginToken>>,
    /// The wrong login tokens from each address.
    pub token_guesses: TtlCache<String, TokenGuesses>,
    /// Passwords that were right lately.
    pub passwords: RightPasswords,
    /// Events with their sessions, by their numbers.
    pub events: TtlCache<u64, Arc<(Event, Vec<EventSession>)>>,
    /// The numbers of events and sessions by the provider's ids of the sessions.
    pub provider_sessions: TtlCache<String, (u64, u64)>,
    /// The applications of media servers, with their virtual hosts, that were written to the table within the last
    /// hour.
    pub apps: TtlCache<(String, String), ()>,
    /// The open rooms of a LiveKit server, with its ids of them, that were written to the table within the last hour.
    pub open_rooms: TtlCache<(ProviderSessionId, String), ()>,
}

impl Default for Caches {
    fn default() -> Self {
        Self {
            api_tokens: TtlCache::default(),
            devices: TtlCache::default(),
            login_tokens: TtlCache::default(),
            token_guesses: TtlCache::default(),
            passwords: RightPasswords::default(),
            events: TtlCache::default(),
            provider_sessions: TtlCache::default(),
            apps: TtlCache::kept_for(Duration::from_hours(1)),
            open_rooms: TtlCache::kept_for(Duration::from_hours(1)),
        }
    }
}

/// A TTL cache. Each value has the time at which it was requested. A result that nothing was found is not cached.
#[derive(Debug)]
pub struct TtlCache<K, V>(OnceLock<Cache<K, (Timestamp, V)>>, Duration);

impl<K, V> Default for TtlCache<K, V> {
    fn default() -> Self {
        Self::kept_for(FOR)
    }
}

impl<K, V> TtlCache<K, V> {
    /// A cache whose values live this long.
    #[must_use]
    pub const fn kept_for(time: Duration) -> Self {
        Self(OnceLock::new(), time)
    }
}

enum Missing<E> {
    NotThere,
    Failed(E),
}

impl<K: Clone + Eq + Hash, V: Clone> TtlCache<K, V> {
    /// The cached value, or else the one that `read` reads. Tasks that ask for the same key at once wait for one read.
    pub async fn get<T, E>(
        &self,
        key: &K,
        now: Timestamp,
        read: impl AsyncFnOnce() -> Result<Option<T>, E>,
    ) -> Result<Option<V>, E>
    where
        V: From<T>,
    {
        let cache = self.0.get_or_init(|| Cache::new(CAPACITY));
        cache.remove_if(key, |(at, _)| now >= *at + self.1);
        let read = async {
            // Boxed, because the future of a request to the table is large and mostly not needed.
            match Box::pin(read()).await {
                Ok(Some(value)) => Ok((now, V::from(value))),
                Ok(None) => Err(Missing::NotThere),
                Err(error) => Err(Missing::Failed(error)),
            }
        };
        match cache.get_or_insert_async(key, read).await {
            Ok((_, value)) => Ok(Some(value)),
            Err(Missing::NotThere) => Ok(None),
            Err(Missing::Failed(error)) => Err(error),
        }
    }

    /// Caches a value that was read by other means, in place of the present one.
    pub fn put(&self, key: K, now: Timestamp, value: V) {
        self.0.get_or_init(|| Cache::new(CAPACITY)).insert(key, (now, value));
    }
}

/// How long a password that was right is not hashed again (`docs/apis/mongooseim.md`).
const PASSWORD_FOR: Duration = Duration::from_mins(1);

/// The last passwords that were right. Each lies under a keyed hash that means nothing outside this process, with the
/// stored hash that it matched. Wrong passwords are not cached.
#[derive(Debug)]
pub struct RightPasswords {
    key: [u8; 32],
    cache: OnceLock<Cache<[u8; 32], (Timestamp, PasswordHash)>>,
}

impl Default for RightPasswords {
    fn default() -> Self {
        Self { key: random_bytes(), cache: OnceLock::new() }
    }
}

impl RightPasswords {
    /// Whether a user's password has this hash. Tasks that ask the same at once wait for one of them.
    pub async fn verify(
        &self,
        user: u64,
        password: SecretString,
        hash: PasswordHash,
        now: Timestamp,
    ) -> Result<bool, PasswordError> {
        let cache = self.cache.get_or_init(|| Cache::new(CAPACITY));
        let Some(slot) = self.slot(user, &password) else { return Err(PasswordError::Fault) };
        cache.remove_if(&slot, |(at, known)| now >= *at + PASSWORD_FOR || *known != hash);
        let work = async {
            let right = password::verify(password, Some(hash.clone())).await;
            if right.map_err(Some)? { Ok((now, hash)) } else { Err(None) }
        };
        match cache.get_or_insert_async(&slot, work).await {
            Ok(_) => Ok(true),
            Err(None) => Ok(false),
            Err(Some(error)) => Err(error),
        }
    }

    /// Whether a user's password was found to have this hash lately.
    pub fn knows(&self, user: u64, password: &SecretString, hash: &PasswordHash, now: Timestamp) -> bool {
        let known = self.cache.get().zip(self.slot(user, password)).and_then(|(cache, slot)| cache.get(&slot));
        known.is_some_and(|(at, known)| now < at + PASSWORD_FOR && known == *hash)
    }

    fn slot(&self, user: u64, password: &SecretString) -> Option<[u8; 32]> {
        // HMAC takes keys of any length.
        let mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        let mac = mac.chain_update(user.to_be_bytes()).chain_update(password.expose_secret());
        Some(mac.finalize().into_bytes().into())
    }
}
