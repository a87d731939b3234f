//! The form of a connection in the list for people.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use greenroom_core::{
    clock::Timestamp,
    id::ConnectionName,
    model::{
        connection::ServerData,
        live::{EndReason, EndedBy, LiveConnection, SessionProvider, State, Stream},
        login_token::StreamRole,
    },
};
use greenroom_store::LedgerEntry;
use serde::Serialize;
use utoipa::ToSchema;

/// The stream and name of a connection, which its id contains.
pub(crate) struct Place {
    pub(crate) stream: Stream,
    pub(crate) name: ConnectionName,
}

impl Place {
    /// Reads an id. `None` if Greenroom did not make it.
    pub(crate) fn parse(id: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(id).ok()?;
        let [vhost, app, stream, name]: [String; 4] = serde_json::from_slice(&bytes).ok()?;
        Some(Self { stream: Stream { vhost, app, stream }, name: ConnectionName::parse(&name)? })
    }
}

fn id(stream: &Stream, name: &ConnectionName) -> String {
    let parts = [&*stream.vhost, &*stream.app, &*stream.stream, name.as_str()];
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(&parts).unwrap_or_default())
}

/// A live or ended connection.
#[derive(Serialize, ToSchema)]
#[schema(as = LiveEntry)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    /// The id with which the connection can be ended.
    #[schema(example = "ZGVmYXVsdC83LzkvY29u")]
    id: String,
    /// The virtual host of its stream.
    #[schema(example = "default")]
    vhost: String,
    /// The application: the number of an event, `openvidu`, or an application of a media server.
    #[schema(example = "7")]
    app: String,
    /// The stream.
    #[schema(example = "9")]
    stream: String,
    /// The connection's name in the list of live sessions that operators read.
    name: ConnectionName,
    /// The number of the event that the application belongs to.
    #[schema(example = 7)]
    event: Option<u64>,
    /// `subscriber`, `publisher` or `moderator`.
    #[schema(value_type = String, example = "subscriber")]
    role: StreamRole,
    /// The state, which says whether a participant is connected.
    state: State,
    /// The number of the login token that the connection was issued for, if it belongs to an event.
    #[schema(example = 4)]
    login_token: Option<u64>,
    /// The metadata that a back-end attached to the token of a media session.
    data: Option<ServerData>,
    /// The address of a media server's viewer.
    #[schema(example = "192.0.2.1")]
    address: Option<String>,
    /// The port of a media server's viewer.
    #[schema(example = 51600)]
    port: Option<u16>,
    /// When the participant connected. Before that, when the token was issued.
    #[schema(example = "2023-11-14T22:13:20Z")]
    since: String,
    /// The number of seconds that the participant has been connected; `null` if no participant was reported.
    #[schema(example = 61)]
    duration: Option<i64>,
    /// When the connection ended.
    #[schema(example = "2023-11-14T22:14:21Z")]
    ended_at: Option<String>,
    /// Since when the participant sends a stream to a LiveKit server; `null` if they do not.
    #[schema(required, example = "2023-11-14T22:13:25Z")]
    publishing: Option<String>,
    /// The media provider of the session: `opentok`, `vonage` or `livekit`; `null` if the stream has none.
    #[schema(required, value_type = Option<String>, example = "livekit")]
    provider: Option<SessionProvider>,
    /// Why the connection ended: `terminated`, `closed`, `publisher_left`, `disconnected`, `sessionClosed`, `expired`,
    /// with a LiveKit server `left`, `removed_by_moderator`, `replaced`, `session_ended`, `lost` or `failed`, or the
    /// reason that OpenTok gave. While a token was only issued: why the last attempt to join failed.
    reason: Option<EndReason>,
    /// Who ended the connection; `null` while it is live, and if Greenroom does not know.
    #[schema(required)]
    ended_by: Option<EndedBy>,
}

impl Entry {
    /// The entry of a connection, as it is now.
    pub(crate) fn of_live(connection: &LiveConnection, now: Timestamp) -> Self {
        let entry = Self::of_ended(&LedgerEntry::of(connection));
        match connection.state(now) {
            State::Ended => entry,
            state => {
                let duration = connection.connected_at.map(|at| seconds(at, now));
                let publishing = connection.publishing().map(|since| since.to_string());
                let reason = connection.failed.clone();
                Self { state, duration, publishing, ended_at: None, reason, ended_by: None, ..entry }
            }
        }
    }

    /// The entry of an ended connection.
    pub(crate) fn of_ended(entry: &LedgerEntry) -> Self {
        let LedgerEntry { name, stream, role, login_token, data, client, .. } = entry.clone();
        let LedgerEntry { created_at, connected_at, ended_at, reason, ended_by, provider, .. } = entry.clone();
        let (address, port) = client.map(|client| (client.address, client.port)).unzip();
        Self {
            id: id(&stream, &name),
            event: stream.event(),
            vhost: stream.vhost,
            app: stream.app,
            stream: stream.stream,
            name,
            role,
            state: State::Ended,
            login_token,
            data,
            address,
            port,
            since: connected_at.unwrap_or(created_at).to_string(),
            duration: connected_at.map(|at| seconds(at, ended_at)),
            ended_at: Some(ended_at.to_string()),
            publishing: None,
            provider,
            reason: Some(reason),
            ended_by,
        }
    }

    /// The state of the connection.
    pub(crate) fn state(&self) -> State {
        self.state
    }
}

/// Whole seconds between two instants.
fn seconds(from: Timestamp, to: Timestamp) -> i64 {
    (to.millis() - from.millis()).max(0) / 1000
}
