use std::sync::Arc;
#[cfg(any(feature = "mail", feature = "provider"))]
use std::sync::OnceLock;

#[cfg(feature = "mail")]
use crate::mail::Mailer;
use crate::{clock::Clock, config::Config, store::Store};
#[cfg(feature = "provider")]
use crate::{media_server::MediaServer, provider::Media};

/// What work needs that is done for a request or without one: the table, the time, the settings, and whom to tell of it.
///
/// It knows nothing of HTTP. [`App`](crate::App) has it, and hands it to what lies below the handlers.
#[derive(Clone, Debug)]
pub struct Services {
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    #[cfg(feature = "mail")]
    pub(crate) mailer: Arc<OnceLock<Arc<dyn Mailer>>>,
    #[cfg(feature = "provider")]
    pub(crate) media: Arc<OnceLock<Media>>,
    #[cfg(feature = "provider")]
    pub(crate) media_server: Arc<OnceLock<Option<MediaServer>>>,
}

impl Services {
    /// The services of a configuration, over this store. Clients of other servers are made when they are first needed.
    #[must_use]
    pub fn new(config: Arc<Config>, store: Store, clock: Clock) -> Self {
        Self {
            store,
            clock,
            config,
            #[cfg(feature = "mail")]
            mailer: Arc::default(),
            #[cfg(feature = "provider")]
            media: Arc::default(),
            #[cfg(feature = "provider")]
            media_server: Arc::default(),
        }
    }
}
