use std::sync::Arc;
#[cfg(any(feature = "mail", feature = "provider"))]
use std::sync::OnceLock;

#[cfg(feature = "mail")]
use crate::mail::Mailer;
use crate::{
    auth::SigningKeys,
    clock::Clock,
    config::{AwsEnvironment, Config, Environment, VideoProvider},
    recent::Recent,
    store::{self, Store},
    uses::Uses,
};
#[cfg(feature = "provider")]
use crate::{media_server::MediaServer, provider::Media};

/// Everything a handler can ask for with `State`, built once per process.
#[derive(Clone, Debug)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The keys of our own tokens.
    pub keys: SigningKeys,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// What was read lately.
    pub recent: Arc<Recent>,
    /// Which values of the credentials were used.
    pub uses: Arc<Uses>,
    #[cfg(feature = "mail")]
    pub(crate) mailer: Arc<OnceLock<Arc<dyn Mailer>>>,
    #[cfg(feature = "provider")]
    pub(crate) media: Arc<OnceLock<Media>>,
    #[cfg(feature = "provider")]
    pub(crate) media_server: Arc<OnceLock<Option<MediaServer>>>,
}

impl App {
    /// What a configuration comes to, over this store.
    #[must_use]
    pub fn new(config: Config, store: Store, clock: Clock) -> Self {
        let keys = SigningKeys::new(&config.signing_keys);
        Self {
            store,
            uses: Arc::new(Uses::of(&config, &keys)),
            keys,
            clock,
            config: Arc::new(config),
            recent: Arc::default(),
            #[cfg(feature = "mail")]
            mailer: Arc::default(),
            #[cfg(feature = "provider")]
            media: Arc::default(),
            #[cfg(feature = "provider")]
            media_server: Arc::default(),
        }
    }

    /// Logs that the media provider's webhooks are taken unsigned, where they are.
    pub fn warn_of_unsigned_webhooks(&self) {
        let Config { video_provider, opentok_webhook_secrets, .. } = &*self.config;
        if *video_provider == VideoProvider::OpenTok && opentok_webhook_secrets.is_empty() {
            tracing::warn!("OPENTOK_WEBHOOK_SECRET is not set: whoever finds the webhooks of OpenTok is believed");
        }
    }

    /// The table that the configuration and the environment name.
    #[must_use]
    pub fn store(config: &Config, environment: &Environment) -> Store {
        let aws = AwsEnvironment::read(environment, "DYNAMODB");
        Store::new(store::client(&aws), &config.table_name)
    }
}
