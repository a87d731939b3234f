//! When each live value of a credential was used last: noted in memory where it is checked, and in the table hardly ever.
//!
//! An instance writes once an hour and value, where the table did not have a use of that hour when the instance started.
//! A request that cannot write goes on without.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::{
    clock::Timestamp,
    config::Setting,
    id::random_bytes,
    store::{Store, StoreError},
};

/// How old the last use may be that the table knows of.
pub const GRANULARITY: Duration = Duration::from_hours(1);
/// Instances that started together do not write together: each waits up to this many milliseconds longer.
const SPREAD: u32 = 15 * 60 * 1000;
/// For how long a use that nobody repeated is kept.
pub const KEPT: Duration = Duration::from_hours(90 * 24);
/// How long a request may wait for it.
const TIMEOUT: Duration = Duration::from_secs(1);
/// When a write that failed is tried again.
const RETRY: Duration = Duration::from_mins(1);

/// Whether a value was used since somebody looked.
#[derive(Clone, Debug, Default)]
pub struct UsedMark(Arc<AtomicBool>);

impl UsedMark {
    /// It was.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        // Most requests find nothing: they only read.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// The live values of this process's credentials, and which of them were used.
#[derive(Default)]
pub struct LastUsedTracker {
    values: Vec<Value>,
    interval: Duration,
    /// Whether uses that nobody repeated have been looked for.
    swept: AtomicBool,
}

impl fmt::Debug for LastUsedTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastUsedTracker")
    }
}

struct Value {
    setting: Setting,
    secret: SecretString,
    mark: UsedMark,
    /// From when on a use is written down, in milliseconds.
    due: AtomicI64,
}

impl Value {
    fn is_due(&self, now: Timestamp) -> bool {
        if !self.mark.take() {
            return false;
        }
        let due = self.due.load(Ordering::Relaxed);
        // Of requests at the same time one writes.
        let claim = || self.due.compare_exchange(due, (now + RETRY).millis(), Ordering::Relaxed, Ordering::Relaxed);
        due <= now.millis() && claim().is_ok()
    }
}

impl LastUsedTracker {
    /// These values of settings, each with the mark that says whether it was used.
    #[must_use]
    pub fn of<'a>(values: impl IntoIterator<Item = (Setting, &'a SecretString, UsedMark)>) -> Self {
        let values = values.into_iter().map(|(setting, secret, mark)| Value {
            setting,
            secret: secret.clone(),
            mark,
            due: i64::MIN.into(),
        });
        let spread = u32::from_be_bytes(random_bytes()) % SPREAD;
        Self {
            values: values.collect(),
            interval: GRANULARITY + Duration::from_millis(spread.into()),
            swept: AtomicBool::new(false),
        }
    }

    /// Notes that the value of this setting at this index was used.
    pub fn mark(&self, setting: Setting, index: usize) {
        if let Some(value) = self.values.iter().filter(|value| value.setting == setting).nth(index) {
            value.mark.set();
        }
    }

    /// Writes down what was used, where it is due. Costs nothing otherwise.
    pub async fn write_down(&self, store: &Store, now: Timestamp) {
        let due: Vec<_> = self.values.iter().filter(|value| value.is_due(now)).collect();
        if due.is_empty() {
            return;
        }
        let written = async {
            for value in &due {
                value.due.store(self.write(value, store, now).await?.millis(), Ordering::Relaxed);
            }
            Ok::<_, StoreError>(())
        };
        // On the heap: a request to the table is large, and most of the time none is made.
        match timeout(TIMEOUT, Box::pin(written)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(%error, "the use of a credential was not written down"),
            Err(_) => tracing::warn!("the use of a credential was not written down in time"),
        }
        // Whoever drops a value must be told of its last use: the next request tries again.
        for value in due {
            value.mark.set();
        }
    }

    /// Writes down that a value was used, unless it is known; when to do so next.
    async fn write(&self, value: &Value, store: &Store, now: Timestamp) -> Result<Timestamp, StoreError> {
        let settings = store.settings().await?;
        let name = value.setting.name();
        let fingerprint = settings.fingerprint(name, value.secret.expose_secret());
        let known = settings.uses.get(&fingerprint).map(|known| known.last + self.interval);
        if let Some(next) = known.filter(|next| now < *next) {
            return Ok(next);
        }
        store.note_use(&fingerprint, now).await?;
        if !self.swept.swap(true, Ordering::Relaxed) {
            let forgotten = settings.uses.iter().filter(|(_, known)| known.last + KEPT < now);
            for (fingerprint, _) in forgotten {
                store.forget_use(fingerprint, now - KEPT).await?;
            }
        }
        Ok(now + self.interval)
    }
}
