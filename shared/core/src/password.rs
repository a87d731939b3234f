//! Hashing users' passwords: Argon2id with the parameters that OWASP names (`docs/apis/events-api.md`), outside the
//! asynchronous threads.

mod weak;

use std::{
    num::NonZero,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    thread::available_parallelism,
    time::Duration,
};

use argon2::{Algorithm, Argon2, Block, Params, Version, password_hash::phc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::spawn_blocking};

pub use self::weak::is_too_common;
use crate::id::random_bytes;

/// The hash of a password with its salt and parameters, as a PHC string.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::opaque!(PasswordHash);

/// Why a password was not hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// The password cannot be hashed: a fault of ours.
    #[error("a password cannot be hashed")]
    Fault,
    /// Too many passwords are being hashed or wait to be.
    #[error("too many passwords are being hashed")]
    Busy,
}

/// When a caller should come back if too many passwords wait.
pub const BUSY_FOR: Duration = Duration::from_secs(1);
/// How many passwords wait for each that is being hashed. They take less than a second.
const WAITING: usize = 15;

/// How many passwords are hashed at once. Each hash fills 19 MiB, and more of them than processors are not faster.
static MAX_CONCURRENT: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(*MAX_CONCURRENT)));
/// The places for passwords that are being hashed or wait.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(most_at_once())));
/// The number of those places.
fn most_at_once() -> usize {
    (*MAX_CONCURRENT * (1 + WAITING)).max(32)
}

/// The memory of finished hashes. It is reused, because an allocator that gets it back again and again grows.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Hashes a password with a new salt.
pub async fn hash(password: SecretString) -> Result<PasswordHash, PasswordError> {
    compute(move || {
        let (argon2, salt) = (Argon2::default(), phc::Salt::new(&random_bytes::<16>()).ok()?);
        let output = derive(&argon2, password.expose_secret(), &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = phc::PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: phc::ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(salt),
            hash: Some(output),
        };
        Some(PasswordHash(hash.to_string()))
    })
    .await
}

/// Whether a password has this hash. Without a hash the result is `false`, and takes the same time.
pub async fn verify(password: SecretString, hash: Option<PasswordHash>) -> Result<bool, PasswordError> {
    let Some(PasswordHash(hash)) = hash else { return self::hash(password).await.map(|_| false) };
    compute(move || {
        let hash = phc::PasswordHash::new(&hash).ok()?;
        let (salt, expected) = (hash.salt?, hash.hash?);
        let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
        let argon2 = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
        // The comparison takes constant time.
        Some(derive(&argon2, password.expose_secret(), &salt, expected.len())? == expected)
    })
    .await
}

/// The Argon2id output for a password, with this length. `None` if the parameters do not allow it.
fn derive(argon2: &Argon2<'_>, password: &str, salt: &[u8], length: usize) -> Option<phc::Output> {
    let mut output = [0; phc::Output::MAX_LENGTH];
    let output = output.get_mut(..length)?;
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    memory.resize(argon2.params().block_count(), Block::default());
    let derived = argon2.hash_password_into_with_memory(password.as_bytes(), salt, output, &mut memory[..]);
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    derived.ok()?;
    phc::Output::new(output).ok()
}

async fn compute<T: Send + 'static>(work: impl FnOnce() -> Option<T> + Send + 'static) -> Result<T, PasswordError> {
    let place = PLACES.clone().try_acquire_owned().map_err(|_| PasswordError::Busy)?;
    let turn = TURNS.clone().acquire_owned().await.map_err(|_| PasswordError::Fault)?;
    let work = move || {
        // These are kept until the work is done, whether or not a caller still waits.
        let (_place, _turn) = (place, turn);
        work()
    };
    spawn_blocking(work).await.ok().flatten().ok_or(PasswordError::Fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places belong to the process, so these tests run one after the other.
    static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash() {
        let _alone = ALONE.lock().await;
        let password = || SecretString::from("correct horse".to_owned());
        let hash = hash(password()).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(format!("{hash:?}"), "PasswordHash");
        assert!(verify(password(), Some(hash.clone())).await.unwrap());
        assert!(!verify("correct house".to_owned().into(), Some(hash)).await.unwrap());
        assert!(!verify(password(), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_that_was_made_elsewhere_is_understood() {
        let _alone = ALONE.lock().await;
        // This hash was made with Argon2's own command line.
        let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        let verify =
            async |password: &str| verify(password.to_owned().into(), Some(PasswordHash(hash.to_owned()))).await;
        assert_eq!(verify("password").await, Ok(true));
        assert_eq!(verify("passwort").await, Ok(false));
    }

    #[tokio::test]
    async fn who_comes_too_late_is_told_so_and_not_kept_waiting() {
        let _alone = ALONE.lock().await;
        let most = most_at_once();
        let outcomes =
            futures_util::future::join_all((0..most + 5).map(|_| hash("correct horse".to_owned().into()))).await;
        let busy = outcomes.iter().filter(|outcome| **outcome == Err(PasswordError::Busy)).count();
        assert_eq!(busy, 5);
        assert!(outcomes.iter().all(|outcome| !matches!(outcome, Err(PasswordError::Fault))));
        assert!(MEMORY.lock().unwrap().len() <= *MAX_CONCURRENT);
        assert!(verify("correct horse".to_owned().into(), None).await.is_ok());
    }
}
