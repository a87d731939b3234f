//! The known virtual hosts, applications and streams. They decide which part of a path is missing.

use std::time::Duration;

use greenroom_core::{
    clock::{Timestamp, seconds},
    model::{
        Event, EventSession,
        live::{DEFAULT_VHOST, MEDIA_APP, Stream, event_of},
    },
};
use serde::{Deserialize, Serialize};

use super::part;
use crate::{Item, Key, Store, StoreError};

/// The partition of the known applications.
const APPS: &str = "APPS";

/// The first part of a path that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The virtual host.
    Vhost,
    /// The application.
    App,
    /// The stream.
    Stream,
}

/// An application of a media server, known from its webhooks.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownApp {
    vhost: String,
    app: String,
    #[serde(with = "seconds")]
    expires_at: Timestamp,
}

fn key(vhost: &str, app: &str) -> Key {
    Key { pk: APPS.to_owned(), sk: format!("{}/{}", part(vhost), part(app)) }
}

impl Store {
    /// The first part of a stream's path that does not exist; `None` if all parts exist. `has_vhost` says whether the
    /// virtual host exists, which the configuration decides.
    ///
    /// Three requests, in parallel.
    pub async fn missing_part(
        &self,
        stream: &Stream,
        has_vhost: bool,
        now: Timestamp,
    ) -> Result<Option<Missing>, StoreError> {
        if !has_vhost {
            return Ok(Some(Missing::Vhost));
        }
        let Stream { vhost, app, .. } = stream;
        let (known, there) = tokio::try_join!(self.is_app_known(vhost, app, now), self.is_stream_there(stream, now))?;
        Ok(match (known, there) {
            (_, true) => None,
            (true, false) => Some(Missing::Stream),
            (false, false) => Some(Missing::App),
        })
    }

    async fn is_app_known(&self, vhost: &str, app: &str, now: Timestamp) -> Result<bool, StoreError> {
        if vhost == DEFAULT_VHOST && app == MEDIA_APP {
            return Ok(true);
        }
        let event = async {
            match event_of(vhost, app) {
                Some(event) => Ok(self.record::<Event>(event).await?.is_some()),
                None => Ok(false),
            }
        };
        let announced = async {
            let key = key(vhost, app);
            // No application has a name that is too long for a key.
            let found = if key.sk.len() > super::KEY_MAX[1] { None } else { self.item::<KnownApp>(key).await? };
            Ok::<_, StoreError>(found.is_some_and(|found| now < found.expires_at))
        };
        let (event, announced) = tokio::try_join!(event, announced)?;
        Ok(event || announced)
    }

    /// Whether a stream exists without any connection: a live media session has it, or a session of an event.
    async fn is_stream_there(&self, stream: &Stream, now: Timestamp) -> Result<bool, StoreError> {
        if let Some(session) = stream.media_session() {
            return self.is_media_session_live(&session, now).await;
        }
        Ok(self.is_event_session(stream).await? == Some(true))
    }

    /// Whether an existing session of an event has the stream. `None` if the stream's name cannot be one of a session.
    pub(super) async fn is_event_session(&self, stream: &Stream) -> Result<Option<bool>, StoreError> {
        let Some((event, session)) = stream.event_session() else { return Ok(None) };
        let (event, session) = tokio::try_join!(self.record::<Event>(event), self.record::<EventSession>(session))?;
        let both = event.zip(session);
        Ok(Some(both.is_some_and(|(event, session)| session.record.event == event.record.id)))
    }

    /// Records that a media server has an application. The record is kept for `kept`.
    pub async fn remember_app(&self, vhost: &str, app: &str, now: Timestamp, kept: Duration) -> Result<(), StoreError> {
        let known = KnownApp { vhost: vhost.to_owned(), app: app.to_owned(), expires_at: now + kept };
        self.write(Item { key: key(vhost, app), kind: "KnownApp", entity: &known }.put()?).await.map(drop)
    }

    /// The known applications with their virtual hosts, in a fixed order.
    pub async fn known_apps(&self, now: Timestamp) -> Result<Vec<(String, String)>, StoreError> {
        let apps: Vec<KnownApp> = serde_dynamo::from_items(self.query(APPS).all().await?)?;
        let known = apps.into_iter().filter(|known| now < known.expires_at);
        Ok(known.map(|known| (known.vhost, known.app)).collect())
    }
}
