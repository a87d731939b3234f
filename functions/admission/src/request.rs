//! The admission webhook of a media server.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::ConnectionName,
    model::{
        live::{Client, Stream, Webhook},
        login_token::StreamRole,
    },
};
use greenroom_http::{App, without_bom};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// How far from the present a webhook's time may be.
const AWAY_MAX: Duration = Duration::from_hours(24);
/// The longest URL that is stored, in bytes.
const URL_MAX: usize = 8192;

/// A webhook of a media server.
#[derive(Deserialize, ToSchema)]
#[schema(as = AdmissionRequest)]
pub(crate) struct Admission {
    /// The client that connects or leaves.
    client: AdmissionClient,
    /// The client's request.
    request: AdmissionDetails,
}

/// The client.
#[derive(Deserialize, ToSchema)]
struct AdmissionClient {
    /// The address that the client connects from.
    #[schema(example = "192.0.2.1")]
    address: String,
    /// The port that the client connects from.
    #[schema(example = 51600)]
    port: u16,
    /// The client's address according to a proxy.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "198.51.100.7")]
    real_ip: Value,
}

/// A client's request to a media server.
#[derive(Deserialize, ToSchema)]
struct AdmissionDetails {
    /// `outgoing` if the client plays the stream, `incoming` if it publishes the stream.
    #[schema(example = "outgoing")]
    direction: String,
    /// The protocol.
    #[schema(example = "WebRTC")]
    protocol: String,
    /// `opening` if the client connects, which is the default, or `closing` if it leaves.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "opening")]
    status: Value,
    /// When the client connected or left, at most 24 hours from now. A time that cannot be read counts as now.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "2025-03-16T04:38:36.245+00:00")]
    time: Value,
    /// The URL that the client asked for. Its path has the application and the stream, and its query may name the
    /// session.
    #[schema(example = "ws://live.example:3333/app/stream?session=viewer")]
    url: String,
}

/// Whether a client comes or goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Opening,
    Closing,
}

/// The result of reading a webhook.
#[derive(Debug)]
pub(crate) enum Read {
    /// It is a webhook.
    Webhook(Box<Webhook>, Status),
    /// It is no webhook.
    NoWebhook,
    /// It is a webhook whose time is too far from the present (`docs/apis/access.md`).
    OutOfTime,
}

impl Admission {
    /// Reads a webhook. Other fields are ignored.
    pub(crate) fn read(body: &[u8], app: &App) -> Read {
        let now = app.clock.now();
        match Self::parse(body, app, now) {
            None => Read::NoWebhook,
            Some((webhook, _)) if webhook.at.since(now).max(now.since(webhook.at)) > AWAY_MAX => Read::OutOfTime,
            Some((webhook, status)) => Read::Webhook(Box::new(webhook), status),
        }
    }

    fn parse(body: &[u8], app: &App, now: Timestamp) -> Option<(Webhook, Status)> {
        // The body is not read into the type directly, because duplicate keys and text that is not UTF-8, such as an
        // odd user agent, must not fail here.
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

/// Whether the session can be named in a URL's path, for terminating it. `.` and `..` mean other paths.
pub(crate) fn has_path(webhook: &Webhook) -> bool {
    let names = [&*webhook.stream.app, &*webhook.stream.stream, webhook.name.as_str()];
    names.iter().all(|name| !matches!(*name, "." | ".."))
}

/// The parts of a playback URL that are read: its host, the first two segments of its path, and the `session` of its
/// query.
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
        // The media server reads a query like this: it ends at another question mark, a plus sign is no space, and the
        // last of duplicate keys counts.
        let query = query.split('?').next().unwrap_or_default();
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let session = pairs.rfind(|(key, _)| *key == "session");
        let session = session.map(|(_, value)| percent_decode_str(value).decode_utf8_lossy().into_owned());
        let session = session.filter(|session| !session.is_empty());
        Some(Self { host: host(authority).to_ascii_lowercase(), app, stream, session })
    }
}

/// The host name of a URL's authority, without user and port.
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
