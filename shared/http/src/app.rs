//! The state of a process that handlers and layers share.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::extract::FromRef;
use greenroom_core::{
    clock::Clock,
    config::{AwsEnvironment, Config, Environment, Setting, VideoProvider},
};
use greenroom_media::Services;
use greenroom_store::Store;
use greenroom_telemetry::task::Tasks;
use secrecy::SecretString;

use crate::{
    auth::SigningKeys,
    cache::Caches,
    last_used::{LastUsedTracker, UsedMark},
};

/// The shared state of a process, built once. A handler extracts it with `State`, or only the part that it needs: the
/// [`Store`], or the [`Services`].
#[derive(Clone, Debug)]
pub struct App {
    /// The table.
    pub store: Store,
    /// The keys that sign Greenroom's own tokens.
    pub keys: SigningKeys,
    /// The time.
    pub clock: Clock,
    /// The settings.
    pub config: Arc<Config>,
    /// The caches of recent reads.
    pub caches: Arc<Caches>,
    /// The tasks that go on when no caller waits for them.
    pub tasks: Tasks,
    init: Arc<Mutex<Option<Duration>>>,
    /// The tracker of when the values of credentials were last used.
    pub last_used: Arc<LastUsedTracker>,
    /// The services that work below the handlers uses.
    pub services: Services,
}

impl App {
    /// The state for a configuration and a store.
    #[must_use]
    pub fn new(config: Config, store: Store, clock: Clock) -> Self {
        let keys = SigningKeys::new(&config.signing_keys);
        let (store, config) = (store.contending_for(config.timing.contention), Arc::new(config));
        let services = Services::new(config.clone(), store.clone(), clock.clone());
        Self {
            init: Arc::default(),
            tasks: Tasks::default(),
            store,
            last_used: Arc::new(LastUsedTracker::of(values(&config, &keys))),
            keys,
            clock,
            config,
            caches: Arc::default(),
            services,
        }
    }

    /// Notes how long the process took to start.
    pub fn set_init(&self, took: Duration) {
        *self.init.lock().unwrap_or_else(PoisonError::into_inner) = Some(took);
    }

    /// How long the process took to start. `None` if it was taken already, or is not measured.
    #[must_use]
    pub fn take_init(&self) -> Option<Duration> {
        self.init.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Logs that the media provider's webhooks are refused, if there is a provider and no secret to check its webhooks
    /// with.
    pub fn warn_of_refused_webhooks(&self) {
        let Config { video_provider, opentok_webhook_secrets, vonage_signature_secrets, .. } = &*self.config;
        if *video_provider == VideoProvider::OpenTok && opentok_webhook_secrets.is_empty() {
            tracing::warn!(
                "OPENTOK_WEBHOOK_SECRET is not set: OpenTok's callbacks are refused, and nobody is known to have come"
            );
        }
        if *video_provider == VideoProvider::Vonage && vonage_signature_secrets.is_empty() {
            tracing::warn!(
                "VONAGE_SIGNATURE_SECRET is not set: Vonage's callbacks are refused, and nobody is known to have come"
            );
        }
    }

    /// The store on the table that the configuration and the environment name.
    #[must_use]
    pub fn store(config: &Config, environment: &Environment) -> Store {
        let aws = AwsEnvironment::read(environment, "DYNAMODB");
        Store::new(greenroom_store::client(&aws), &config.table_name)
    }
}

impl FromRef<App> for Store {
    fn from_ref(app: &App) -> Self {
        app.store.clone()
    }
}

impl FromRef<App> for Services {
    fn from_ref(app: &App) -> Self {
        app.services.clone()
    }
}

/// The live values of the credentials, each with its mark of use. The signing keys set the marks of their own values.
fn values<'a>(
    config: &'a Config,
    keys: &'a SigningKeys,
) -> impl Iterator<Item = (Setting, &'a SecretString, UsedMark)> {
    let lists = [
        (Setting::OpenviduSecret, &config.openvidu_secrets),
        (Setting::StreamsAccessToken, &config.streams.access_tokens),
        (Setting::StreamsWebhookSecret, &config.streams.webhook_secrets),
        (Setting::OpentokWebhookSecret, &config.opentok_webhook_secrets),
        (Setting::VonageSignatureSecret, &config.vonage_signature_secrets),
    ];
    let listed = lists.into_iter().flat_map(|(setting, secrets)| secrets.iter().map(move |secret| (setting, secret)));
    let listed = listed.map(|(setting, secret)| (setting, secret, UsedMark::default()));
    let livekit = config.livekit.iter().flat_map(|server| &server.keys);
    let livekit = livekit.map(|key| (Setting::LivekitApiSecret, &key.secret, UsedMark::default()));
    let signing = config.signing_keys.iter().filter_map(|key| Some((key, keys.mark(&key.kid)?)));
    listed.chain(livekit).chain(signing.map(|(key, mark)| (Setting::SigningKeys, &key.secret, mark)))
}
