//! Live sessions of a stream: listing them all, a page of the ledger, terminating one.

use std::time::Duration;

use axum::http::Method;
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    id::{ConnectionName, ProviderSessionId},
    model::{
        live::{LiveConnection, Source, Stream},
        login_token::StreamRole,
    },
};
use serde_json::json;

use crate::{
    Result,
    service::{Caller, ROUNDS, STREAMS_ACCESS_TOKEN, Service},
};

const SIZES: [usize; 2] = [10, 10_000];

pub(crate) async fn measure(service: &Service) -> Result<()> {
    let operator = service.caller(format!("Basic {}", BASE64_STANDARD.encode(STREAMS_ACCESS_TOKEN)));
    let (_, token) = service.user("organiser").await?;
    let organiser = service.caller(format!("JWT {token}"));
    for size in SIZES {
        let stream = stream(&organiser, size).await?;
        let path = format!("/v1/vhosts/default/apps/{}/streams/{}/sessions", stream.app, stream.stream);
        // Each round ends one of these connections; the others stay.
        let extra = join(service, &stream, ROUNDS).await?;
        join(service, &stream, size).await?;
        let paths: Vec<_> = extra.iter().map(|name| format!("{path}/{name}")).collect();
        operator.measure_each(size as u64, "live sessions: terminating one", Method::DELETE, &paths, "").await?;
        operator.measure(size as u64, "live sessions: listing all", Method::GET, &path, "").await?;
        let ledger = format!("/api/live?event={}", stream.app);
        organiser.measure(size as u64, "ledger: first page", Method::GET, &ledger, "").await?;
    }
    Ok(())
}

/// The stream of a new event's session.
async fn stream(organiser: &Caller<'_>, size: usize) -> Result<Stream> {
    let event = json!({ "name": format!("stream of {size}") }).to_string();
    let event = organiser.send(Method::POST, "/api/v2/events", &event).await?.body["id"].as_u64().ok_or("no event")?;
    let session = json!({ "event": event, "language": "English" }).to_string();
    let session = organiser.send(Method::POST, "/api/v2/sessions", &session).await?.body["id"].as_u64();
    Ok(Stream::of_session(event, session.ok_or("no session")?))
}

/// Lets this many clients join; their names.
async fn join(service: &Service, stream: &Stream, size: usize) -> Result<Vec<ConnectionName>> {
    let now = service.app.clock.now();
    let end = (now + Duration::from_hours(24)).whole_second();
    let connections: Vec<_> = (0..size)
        .map(|_| {
            let source = Source::Event { provider_session: ProviderSessionId::new("1_session".to_owned()) };
            LiveConnection::begin(stream.clone(), ConnectionName::random(), StreamRole::Subscriber, source, now, end)
        })
        .collect();
    for connections in connections.chunks(500) {
        service.app.store.insert_live_connections(connections).await?;
    }
    Ok(connections.into_iter().map(|connection| connection.name).collect())
}
