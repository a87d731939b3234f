//! The last-used tracker: when each live value of a credential was last used. A check notes the use in memory.
//!
//! An instance writes a use to the table at most once an hour for each value. It does not write if the table had a use
//! of that hour when the instance started. A request that cannot write goes on without.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use greenroom_core::{clock::Timestamp, config::Setting, id::random_bytes};
use greenroom_store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

/// The precision of the last use in the table.
pub const GRANULARITY: Duration = Duration::from_hours(1);
/// Instances that started together should not write together. Each waits up to this many milliseconds longer.
const SPREAD: u32 = 15 * 60 * 1000;
/// How long a use that was not repeated is kept.
pub const KEPT: Duration = Duration::from_hours(90 * 24);
/// How long a request may wait for the write.
const TIMEOUT: Duration = Duration::from_secs(1);
/// When a write that failed is tried again.
const RETRY: Duration = Duration::from_mins(1);

/// Whether a value was used since the mark was last taken.
#[derive(Clone, Debug, Default)]
pub struct UsedMark(Arc<AtomicBool>);

impl UsedMark {
    /// Marks the value as used.
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> bool {
        // Most requests find nothing to take, and only read.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

/// The live values of this process's credentials, each with its mark.
#[derive(Default)]
pub struct LastUsedTracker {
    values: Vec<Value>,
    interval: Duration,
    /// Whether this process has dropped old uses.
    swept: AtomicBool,
}

greenroom_core::opaque!(LastUsedTracker);

struct Value {
    setting: Setting,
    secret: SecretString,
    mark: UsedMark,
    /// The time from which the next use is written, in milliseconds.
    due: AtomicI64,
}

impl Value {
    fn is_due(&self, now: Timestamp) -> bool {
        if !self.mark.take() {
            return false;
        }
        let due = self.due.load(Ordering::Relaxed);
        // Only one of several concurrent requests writes.
        let claim = || self.due.compare_exchange(due, (now + RETRY).millis(), Ordering::Relaxed, Ordering::Relaxed);
        due <= now.millis() && claim().is_ok()
    }
}

impl LastUsedTracker {
    /// A tracker of these values of settings, each with its mark.
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

    /// Marks the value of this setting at this index as used.
    pub fn mark(&self, setting: Setting, index: usize) {
        if let Some(value) = self.values.iter().filter(|value| value.setting == setting).nth(index) {
            value.mark.set();
        }
    }

    /// Writes the uses that are due. Costs nothing if there are none.
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
        // Boxed, because the future of a request to the table is large and mostly not needed.
        match timeout(TIMEOUT, Box::pin(written)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => tracing::warn!(%error, "the use of a credential was not written down"),
            Err(_) => tracing::warn!("the use of a credential was not written down in time"),
        }
        // The last use of a value has to be known before somebody drops the value, so the next request tries again.
        for value in due {
            value.mark.set();
        }
    }

    /// Writes that a value was used, unless the table has it already. Returns when to write next.
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
