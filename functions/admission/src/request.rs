//! What a media server says of a client.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use shared::{
    App,
    clock::Timestamp,
    http::without_bom,
    id::ConnectionName,
    model::{
        live::{Client, Stream, Webhook},
        login_token::StreamRole,
    },
};
use utoipa::ToSchema;

/// How far from now a webhook may be dated.
const AWAY_MAX: Duration = Duration::from_hours(24);
/// Longest URL that is kept, in bytes.
const URL_MAX: usize = 8192;

/// A webhook of a media server.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdmissionRequest)]
pub(crate) struct Admission {
    /// Who it is.
    client: AdmissionClient,
    /// What they want.
    request: AdmissionDetails,
}

/// The client.
#[derive(Deserialize, ToSchema)]
struct AdmissionClient {
    /// Where it comes from.
    #[schema(example = "192.0.2.1")]
    address: String,
    /// From which port.
    #[schema(example = 51600)]
    port: u16,
    /// Where it comes from by what a proxy says.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "198.51.100.7")]
    real_ip: Value,
}

/// What it does.
#[derive(Deserialize, ToSchema)]
struct AdmissionDetails {
    /// `outgoing`, which plays, or `incoming`, which publishes.
    #[schema(example = "outgoing")]
    direction: String,
    /// What it comes by.
    #[schema(example = "WebRTC")]
    protocol: String,
    /// `opening`, also where it is left out, or `closing`.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "opening")]
    status: Value,
    /// When it happened, at most 24 hours away; where it cannot be read, now.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2025-03-16T04:38:36.245+00:00")]
    time: Value,
    /// What it asked for: the path has the application and the stream, the query may name the session.
    #[schema(example = "ws://live.example:3333/app/stream?session=viewer")]
    url: String,
}

/// Whether a client comes or has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Opening,
    Closing,
}

/// What a webhook is taken for.
#[derive(Debug)]
pub(crate) enum Read {
    /// For what it says.
    Webhook(Box<Webhook>, Status),
    /// For none of ours.
    NoWebhook,
    /// For one that is no longer, or not yet, of any use (`docs/apis/access.md`).
    OutOfTime,
}

impl Admission {
    /// Reads a webhook. What it says beside that is ignored.
    pub(crate) fn read(body: &[u8], app: &App) -> Read {
        let now = app.clock.now();
        match Self::parse(body, app, now) {
            None => Read::NoWebhook,
            Some((webhook, _)) if webhook.at.since(now).max(now.since(webhook.at)) > AWAY_MAX => Read::OutOfTime,
            Some((webhook, status)) => Read::Webhook(Box::new(webhook), status),
        }
    }

    fn parse(body: &[u8], app: &App, now: Timestamp) -> Option<(Webhook, Status)> {
        // Not at once into the type: a key that stands twice is the sender's business. So is text that is no UTF-8, such as
        // an odd user agent.
        let body: Value = serde_json::from_str(&String::from_utf8_lossy(without_bom(body))).ok()?;
        let Self { client, request } = serde_json::from_value(body).ok()?;
        let role = match request.direction.to_ascii_lowercase().as_str() {
            "outgoing" => StreamRole::Subscriber,
            "incoming" => StreamRole::Publisher,
            _ => return None,
        };
        let status = match &request.status {
            Value::Null => Status::Opening,
            Value::String(status) if status.eq_ignore_ascii_case("opening") => Status::Opening,
            Value::String(status) if status.eq_ignore_ascii_case("closing") => Status::Closing,
            _ => return None,
        };
        let url = StreamUrl::parse(&request.url)?;
        let AdmissionClient { address, port, real_ip } = client;
        let client = Client::new(&address, real_ip.as_str(), port, &request.protocol, request.url);
        let chosen = url.session.as_deref().filter(|_| role == StreamRole::Subscriber);
        let name = match chosen {
            Some(name) => ConnectionName::parse(name)?,
            None => client.name(),
        };
        let named = chosen.is_some();
        let at = request.time.as_str().and_then(Timestamp::parse).unwrap_or(now);
        let vhost = app.config.streams.vhost_of(&url.host).to_owned();
        let stream = Stream { vhost, app: url.app, stream: url.stream };
        Some((Webhook { stream, name, named, role, client, at }, status))
    }
}

/// Whether the session can be named in the path of a URL, as whoever terminates it does: `.` and `..` mean other paths there.
pub(crate) fn has_path(webhook: &Webhook) -> bool {
    let names = [&*webhook.stream.app, &*webhook.stream.stream, webhook.name.as_str()];
    names.iter().all(|name| !matches!(*name, "." | ".."))
}

/// What there is to know of a playback URL: its host, the first two parts of its path, and a query's `session`.
#[derive(Debug, PartialEq, Eq)]
struct StreamUrl {
    host: String,
    app: String,
    stream: String,
    session: Option<String>,
}

impl StreamUrl {
    fn parse(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://").filter(|_| url.len() <= URL_MAX)?;
        let rest = rest.split('#').next().unwrap_or_default();
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = place.split_once('/')?;
        let mut parts = path.split('/').map(|part| percent_decode_str(part).decode_utf8().ok());
        let mut part = || parts.next().flatten().filter(|part| !part.is_empty()).map(String::from);
        let (app, stream) = (part()?, part()?);
        // As the media server reads it: a query ends at another question mark, a plus sign is one, and of a key that stands
        // twice the last counts.
        let query = query.split('?').next().unwrap_or_default();
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let session = pairs.rfind(|(key, _)| *key == "session");
        let session = session.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned());
        let session = session.filter(|session| !session.is_empty());
        Some(Self { host: host(authority).to_ascii_lowercase(), app, stream, session })
    }
}

/// A URL's host name, without user and port.
fn host(authority: &str) -> &str {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match host.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(url: &str) -> Option<String> {
        let StreamUrl { host, app, stream, session } = StreamUrl::parse(url)?;
        Some(format!("{host} {app} {stream} {}", session.unwrap_or_default()))
    }

    #[test]
    fn a_url_names_application_stream_and_session() {
        for (url, expected) in [
            ("ws://Host:3333/app/stream?session=x", "host app stream x"),
            ("rtmp://x.x.x.x:19350/live/test", "x.x.x.x live test "),
            ("https://u:p@[::1]:443/a%20b/s%2Ft/llhls.m3u8?a=b&session=&session=%C3%A9#f", "::1 a b s/t é"),
            ("ws://h/a/s?session=one&session=a+b%2Bc", "h a s a+b+c"),
            ("ws://h/a/s?session=one&session=&b", "h a s "),
            ("ws://h/a/s?a=b?session=one", "h a s "),
            ("ws://h/a/s?session=one?b&session=two", "h a s one"),
            ("ws://h/a/s?Session=one&session=%zz%4", "h a s %zz%4"),
        ] {
            assert_eq!(parsed(url).as_deref(), Some(expected));
        }
        for url in
            ["", "ws://host", "ws://host/app", "ws://host/app/", "ws://host//stream", "app/stream", "ws://h/%ff/s"]
        {
            assert_eq!(parsed(url), None, "{url}");
        }
    }
}
