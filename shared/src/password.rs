//! Users' passwords: Argon2id with the parameters OWASP names (`events-api.md`), off the asynchronous threads.

use std::{
    fmt,
    sync::{Arc, LazyLock},
    thread::available_parallelism,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::id::random_bytes;

/// A password's hash with its salt and parameters, as a PHC string.
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

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash")
    }
}

/// A password could not be hashed: a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("a password cannot be hashed")]
pub struct PasswordError;

/// Each hash fills 19 MiB, and more at once than there are processors are none the faster for it.
static AT_ONCE: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(available_parallelism().map_or(1, std::num::NonZero::get))));

/// Hashes a password with a new salt.
pub async fn hash(password: SecretString) -> Result<PasswordHash, PasswordError> {
    let salt = random_bytes::<16>();
    let hash = compute(move || {
        let hash: phc::PasswordHash =
            Argon2::default().hash_password_with_salt(password.expose_secret().as_bytes(), &salt).ok()?;
        Some(hash.to_string())
    });
    hash.await?.map(PasswordHash).ok_or(PasswordError)
}

/// Whether a password has this hash. Without a hash it has not, and that takes as long to find out.
pub async fn verify(password: SecretString, hash: Option<PasswordHash>) -> Result<bool, PasswordError> {
    let Some(PasswordHash(hash)) = hash else { return self::hash(password).await.map(|_| false) };
    compute(move || {
        let hash = phc::PasswordHash::new(&hash).ok()?;
        Some(Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok())
    })
    .await?
    .ok_or(PasswordError)
}

async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PasswordError> {
    let turn = AT_ONCE.clone().acquire_owned().await.map_err(|_| PasswordError)?;
    let work = move || {
        // Until the work is done, whether or not somebody still waits for it.
        let _turn = turn;
        work()
    };
    spawn_blocking(work).await.map_err(|_| PasswordError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash() {
        let password = || SecretString::from("correct horse".to_owned());
        let hash = hash(password()).await.unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(format!("{hash:?}"), "PasswordHash");
        assert!(verify(password(), Some(hash.clone())).await.unwrap());
        assert!(!verify("correct house".to_owned().into(), Some(hash)).await.unwrap());
        assert!(!verify(password(), None).await.unwrap());
    }
}
