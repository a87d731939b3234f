//! An API whose requests to DynamoDB are counted.

use std::sync::{Arc, atomic::AtomicUsize};

use greenroom_core::config::Setting;
use secrecy::ExposeSecret;
use testbed::RequestCounter;

use crate::support::TestApp;

/// An API whose requests to DynamoDB are counted.
pub(crate) struct Counted {
    pub(crate) app: TestApp,
    pub(crate) requests: Arc<AtomicUsize>,
}

impl Counted {
    /// Wraps an API whose credentials were used within the hour, as on a warm instance.
    pub(crate) async fn over(app: TestApp) -> Self {
        note_uses(&app).await;
        let counter = RequestCounter::default();
        let requests = counter.0.clone();
        let config = app.client.config().to_builder().interceptor(counter).build();
        let app = app.with_client(config);
        app.store.prime().await.unwrap();
        Self { app, requests }
    }
}

/// Records in the table that every credential was used just now.
pub(crate) async fn note_uses(app: &TestApp) {
    let (settings, config) = (app.store.settings().await.unwrap(), &app.shared.config);
    let keys: Vec<_> = config.signing_keys.iter().map(|key| key.secret.clone()).collect();
    let credentials = [
        (Setting::OpenviduSecret, &config.openvidu_secrets),
        (Setting::StreamsAccessToken, &config.streams.access_tokens),
        (Setting::StreamsWebhookSecret, &config.streams.webhook_secrets),
        (Setting::SigningKeys, &keys),
    ];
    for (setting, secrets) in credentials {
        for secret in secrets {
            let fingerprint = settings.fingerprint(setting.name(), secret.expose_secret());
            app.store.note_use(&fingerprint, app.clock.now()).await.unwrap();
        }
    }
}
