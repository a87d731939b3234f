//! The provider for work without a network: a session is only an id, and nothing is recorded.

use std::net::Ipv4Addr;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use futures_util::future::{FutureExt, ready};
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::OpenTok,
    id::{ProviderSessionId, random_bytes},
};

use super::{Answer, Archives, MediaProvider, NewSession};

/// Makes ids of the real form, so that everything but the media works without a network.
#[derive(Clone, Debug)]
pub struct OfflineProvider {
    api_key: String,
    clock: Clock,
}

impl OfflineProvider {
    /// A provider that makes ids of this project.
    #[must_use]
    pub fn new(project: &OpenTok, clock: Clock) -> Self {
        Self { api_key: project.api_key.clone(), clock }
    }
}

impl MediaProvider for OfflineProvider {
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId> {
        ready(Ok(new_id(&self.api_key, session.location, self.clock.now()))).boxed()
    }

    fn archives<'a>(&'a self, _: &'a ProviderSessionId, _: usize, _: usize) -> Answer<'a, Archives> {
        ready(Ok(Archives::default())).boxed()
    }

    fn disconnect<'a>(&'a self, _: &'a ProviderSessionId, _: &'a str) -> Answer<'a, ()> {
        ready(Ok(())).boxed()
    }
}

/// A new id of this project: `1_` and base64 of `1~<api key>~<location>~<ms>~<random>~` (`docs/apis/opentok.md`).
fn new_id(api_key: &str, location: Option<Ipv4Addr>, now: Timestamp) -> ProviderSessionId {
    let location = location.map_or_else(String::new, |location| location.to_string());
    // 24 characters of base64.
    let random = BASE64_STANDARD.encode(random_bytes::<18>());
    let text = format!("1~{api_key}~{location}~{}~{random}~", now.millis());
    ProviderSessionId::new(format!("1_{}", BASE64_URL_SAFE_NO_PAD.encode(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Grant, T1_TTL, T1Role, TokenSigner};
    use greenroom_core::model::RoomName;

    fn project() -> OpenTok {
        OpenTok { api_key: "45828062".to_owned(), api_secret: "secret".into(), api_url: String::new() }
    }

    fn plain() -> NewSession {
        NewSession::plain(RoomName::NetworkTest)
    }

    fn offline() -> OfflineProvider {
        OfflineProvider::new(&project(), Clock::stopped_at(Timestamp::from_millis(1_700_000_000_123)))
    }

    #[tokio::test]
    async fn a_session_has_an_id_of_the_real_form() {
        let near = NewSession { location: Some(Ipv4Addr::new(12, 34, 56, 78)), ..plain() };
        for (session, location) in [(near, "12.34.56.78"), (plain(), "")] {
            let id = offline().create_session(&session).await.unwrap();
            let text = BASE64_URL_SAFE_NO_PAD.decode(id.as_str().strip_prefix("1_").unwrap()).unwrap();
            let text = String::from_utf8(text).unwrap();
            let random = text.strip_prefix(&format!("1~45828062~{location}~1700000000123~")).unwrap();
            let random = random.strip_suffix('~').unwrap();
            assert_eq!((random.len(), BASE64_STANDARD.decode(random).is_ok()), (24, true), "{random}");
        }
    }

    #[tokio::test]
    async fn a_session_is_new_each_time_and_has_tokens() {
        let provider = offline();
        let session = provider.create_session(&plain()).await.unwrap();
        assert!(session != provider.create_session(&plain()).await.unwrap());
        let (now, signer) = (Timestamp::from_seconds(1), TokenSigner::new(&project()));
        let grant =
            Grant { session: &session, role: T1Role::Subscriber, expires_at: now + T1_TTL, connection_data: "" };
        assert!(signer.token(&grant, now).is_ok());
    }

    #[tokio::test]
    async fn nothing_is_recorded_and_nobody_connected() {
        let session = ProviderSessionId::new("1_x".to_owned());
        assert!(offline().disconnect(&session, "anybody").await.is_ok());
        assert_eq!(offline().archives(&session, 0, 100).await.unwrap(), Archives::default());
    }
}
