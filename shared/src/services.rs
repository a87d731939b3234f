//! The services that work below the handlers uses, with or without a request.

use std::sync::Arc;
#[cfg(any(feature = "mail", feature = "provider"))]
use std::sync::OnceLock;

#[cfg(feature = "mail")]
use crate::mail::Mailer;
use crate::{clock::Clock, config::Config, store::Store};
#[cfg(feature = "provider")]
use crate::{media_server::MediaServer, provider::Media};

/// The services of a process: the table, the time, the settings, and the servers that are told of changes.
///
/// They know nothing of HTTP. [`App`](crate::App) has them, and gives them to the code below the handlers.
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
    /// The services for a configuration and a store. Clients of other servers are made when they are first needed.
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
