#[cfg(any(feature = "mail", feature = "provider"))]
use std::sync::OnceLock;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

#[cfg(feature = "mail")]
use crate::mail::Mailer;
use crate::{
    auth::SigningKeys,
    cache::Caches,
    clock::Clock,
    config::{AwsEnvironment, Config, Environment, VideoProvider},
    last_used::LastUsedTracker,
    store::{self, Store},
    task::Tasks,
    trace::Tracer,
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
    pub caches: Arc<Caches>,
    /// Who is told what is traced; `None` where nothing is.
    pub tracer: Option<Arc<Tracer>>,
    /// What goes on when nobody waits for it.
    pub tasks: Tasks,
    init: Arc<Mutex<Option<Duration>>>,
    /// Which values of the credentials were used.
    pub last_used: Arc<LastUsedTracker>,
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
            tracer: config.tracing.and_then(|daemon| Tracer::new(daemon, &config.table_name)),
            init: Arc::default(),
            tasks: Tasks::default(),
            store,
            last_used: Arc::new(LastUsedTracker::of(&config, &keys)),
            keys,
            clock,
            config: Arc::new(config),
            caches: Arc::default(),
            #[cfg(feature = "mail")]
            mailer: Arc::default(),
            #[cfg(feature = "provider")]
            media: Arc::default(),
            #[cfg(feature = "provider")]
            media_server: Arc::default(),
        }
    }

    /// Notes how long the process took to start.
    pub fn set_init(&self, took: Duration) {
        *self.init.lock().unwrap_or_else(PoisonError::into_inner) = Some(took);
    }

    /// How long the process took to start; `None` where that has been told, or is of no interest.
    #[must_use]
    pub fn take_init(&self) -> Option<Duration> {
        self.init.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Logs that the media provider's webhooks are refused, where there is a provider and no secret to know them by.
    pub fn warn_of_refused_webhooks(&self) {
        let Config { video_provider, opentok_webhook_secrets, .. } = &*self.config;
        if *video_provider == VideoProvider::OpenTok && opentok_webhook_secrets.is_empty() {
            tracing::warn!(
                "OPENTOK_WEBHOOK_SECRET is not set: OpenTok's callbacks are refused, and nobody is known to have come"
            );
        }
    }

    /// The table that the configuration and the environment name.
    #[must_use]
    pub fn store(config: &Config, environment: &Environment) -> Store {
        let aws = AwsEnvironment::read(environment, "DYNAMODB");
        Store::new(store::client(&aws), &config.table_name)
    }
}
