//! The services that work below the handlers uses, with or without a request.

use std::sync::{Arc, OnceLock};

use greenroom_core::{clock::Clock, config::Config};
use greenroom_store::Store;

use crate::{
    mail::{Mailer, MailerError, MakeMailer},
    media_server::MediaServer,
    provider::Media,
};

/// The services of a process: the table, the time, the settings, and the servers that are told of changes.
///
/// They know nothing of HTTP. The state of a process that serves has them, and gives them to the code below the handlers.
#[derive(Clone, Debug)]
pub struct Services {
    /// The table.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    mailer: Arc<OnceLock<Arc<dyn Mailer>>>,
    media: Arc<OnceLock<Media>>,
    media_server: Arc<OnceLock<Option<MediaServer>>>,
}

impl Services {
    /// The services for a configuration and a store. Clients of other servers are made when they are first needed.
    #[must_use]
    pub fn new(config: Arc<Config>, store: Store, clock: Clock) -> Self {
        Self { store, clock, config, mailer: Arc::default(), media: Arc::default(), media_server: Arc::default() }
    }

    /// The media providers. They are made for the first request that needs one.
    #[must_use]
    pub fn media(&self) -> &Media {
        self.media.get_or_init(|| Media::new(&self.config, &self.clock))
    }

    /// The client of the media server that is told of terminations. `None` if none is configured. It is made for the
    /// first request that needs it.
    #[must_use]
    pub fn media_server(&self) -> Option<&MediaServer> {
        self.media_server.get_or_init(|| self.config.streams_api.as_ref().map(MediaServer::new)).as_ref()
    }

    /// The mailer. `make` makes it for the first request that needs it.
    pub fn mailer(&self, make: MakeMailer) -> Result<&Arc<dyn Mailer>, MailerError> {
        if let Some(mailer) = self.mailer.get() {
            return Ok(mailer);
        }
        let mailer = make(self.config.mail.as_ref().ok_or(MailerError::NoSettings)?)?;
        Ok(self.mailer.get_or_init(|| mailer))
    }
}
