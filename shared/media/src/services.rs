//! The services that work below the handlers uses, with or without a request.

use std::sync::Arc;
use std::sync::OnceLock;

use greenroom_core::{clock::Clock, config::Config};
use greenroom_store::Store;

use crate::mail::Mailer;
use crate::{media_server::MediaServer, provider::Media};

/// The services of a process: the table, the time, the settings, and the servers that are told of changes.
///
/// They know nothing of HTTP. [`App`](greenroom_http::App) has them, and gives them to the code below the handlers.
#[derive(Clone, Debug)]
pub struct Services {
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    pub(crate) mailer: Arc<OnceLock<Arc<dyn Mailer>>>,
    pub(crate) media: Arc<OnceLock<Media>>,
    pub(crate) media_server: Arc<OnceLock<Option<MediaServer>>>,
}

impl Services {
    /// The services for a configuration and a store. Clients of other servers are made when they are first needed.
    #[must_use]
    pub fn new(config: Arc<Config>, store: Store, clock: Clock) -> Self {
        Self { store, clock, config, mailer: Arc::default(), media: Arc::default(), media_server: Arc::default() }
    }
}
