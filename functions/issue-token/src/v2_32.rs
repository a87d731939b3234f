//! Connections and tokens of `/openvidu/api` (`docs/apis/openvidu-2.32.md`).

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        Connection,
        connection::{Grant, KurentoOptions, MediaToken, Role, ServerData},
        ice_server::{IceCredentials, IceServer},
    },
};
use greenroom_http::dialect::openvidu::{Error, OPTIONS_MAX, Refused, Sent, WrongType};
use greenroom_openvidu::{Fields, value};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::options;

const ICE_SERVERS: &str = "customIceServers";

/// The schemes that the address of an IP camera may have.
const CAMERA_SCHEMES: [&str; 5] = ["file", "rtsp", "rtsps", "http", "https"];

/// The options of a connection.
#[derive(ToSchema)]
#[schema(as = OpenViduConnectionOptions, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct ConnectionOptions {
    /// The kind of participant. An IP camera needs a media server, and there is none.
    #[schema(rename = "type")]
    kind: Option<Kind>,
    /// Metadata. Greenroom passes it on and never reads it.
    #[schema(max_length = 10_000, example = "{\"name\":\"Alice\"}")]
    data: Option<String>,
    /// The rights of the participant; those of a publisher by default.
    role: Option<Role>,
    /// Whether the participant's streams are recorded where the session is; true by default.
    #[schema(example = true)]
    record: Option<bool>,
    /// Options for the media server.
    kurento_options: Option<KurentoOptions>,
    /// The ICE servers that the participant's client has to use.
    #[schema(example = json!([{"url": "stun:stun.example.com:3478"}]))]
    custom_ice_servers: Option<Vec<IceServerOptions>>,
    /// The address of an IP camera.
    #[schema(example = "rtsp://camera.example/1")]
    rtsp_uri: Option<String>,
    /// Whether the bitrate of an IP camera adapts.
    #[schema(example = true)]
    adaptative_bitrate: Option<bool>,
    /// Whether an IP camera plays only while somebody watches.
    #[schema(example = true)]
    only_play_with_subscribers: Option<bool>,
    /// How much of an IP camera's stream is buffered, in milliseconds.
    #[schema(example = 2000)]
    network_cache: Option<f64>,
}

/// A kind of participant.
#[derive(ToSchema)]
#[schema(as = OpenViduConnectionType, rename_all = "UPPERCASE")]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
enum Kind {
    /// A person with a browser or an app.
    Webrtc,
    /// An IP camera, which is refused.
    Ipcam,
}

/// An ICE server.
#[derive(ToSchema)]
#[schema(as = OpenViduIceServer, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct IceServerOptions {
    /// The URL of a STUN or TURN server.
    #[schema(example = "turn:turn.example.com:3478")]
    url: String,
    /// The user at a TURN server.
    #[schema(example = "alice")]
    username: Option<String>,
    /// The user's password.
    #[schema(example = "a password")]
    credential: Option<String>,
    /// The TURN server's secret, from which user and password are made in place of given ones.
    #[schema(write_only, example = "the secret of the TURN server")]
    static_auth_secret: Option<String>,
}

/// The options of a token: those of a connection, and its session.
#[derive(ToSchema)]
#[schema(as = OpenViduTokenOptions)]
#[expect(dead_code, reason = "describes the body to the OpenAPI document")]
pub(crate) struct TokenOptions {
    /// The session that the token is for.
    #[schema(example = "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9")]
    session: String,
    #[schema(inline)]
    #[serde(flatten)]
    connection: ConnectionOptions,
}

/// A token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduToken)]
pub(crate) struct Token {
    /// The token, again.
    id: MediaToken,
    /// The token.
    token: MediaToken,
    /// When it was issued, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// The connection that it was issued for.
    connection_id: ConnectionId,
    /// The session that it is for.
    session: MediaSessionId,
    /// The metadata of the request.
    data: ServerData,
    /// The rights of its bearer.
    role: Role,
    /// The options of the request, if there were some.
    #[serde(skip_serializing_if = "Option::is_none")]
    kurento_options: Option<KurentoOptions>,
}

impl Token {
    /// The token of a connection.
    pub(crate) fn of(connection: Connection, token: MediaToken) -> Self {
        let Connection { connection_id, session_id, grant, created_at, .. } = connection;
        Self {
            id: token.clone(),
            token,
            created_at,
            connection_id,
            session: session_id,
            data: grant.server_data,
            role: grant.role,
            kurento_options: grant.kurento_options,
        }
    }
}

/// The participant whom a connection is for.
pub(crate) enum Participant {
    /// A person with a browser or an app, who gets these rights.
    Person(Grant),
    /// An IP camera.
    Camera,
}

impl Participant {
    /// Reads the options that connections and tokens have. The order of the checks is OpenVidu's.
    pub(crate) fn read(fields: &Fields<'_>, now: Timestamp) -> Result<Self, Error> {
        let kind = fields.text("type").map_err(Refused::Type)?;
        let data = fields.text("data").map_err(Refused::Type)?.unwrap_or_default();
        let is_camera = match kind.as_deref() {
            None | Some("WEBRTC") => false,
            Some("IPCAM") => true,
            Some(other) => return Err(Refused::ConnectionType(Sent::new(other)).into()),
        };
        let server_data = ServerData::parse(data).ok_or(Error::DataTooLong)?;
        if is_camera {
            check_camera(fields)?;
            return Ok(Self::Camera);
        }
        let sent = fields.text("role").map_err(Refused::RoleType)?;
        let role = value(sent.as_deref()).map_err(|name| Error::UnknownRole(Sent::new(name)))?;
        let length = |name| fields.raw(name).map_or(0, |options: &RawValue| options.get().chars().count());
        if length("kurentoOptions") + length(ICE_SERVERS) > OPTIONS_MAX {
            return Err(Refused::OptionsTooLong.into());
        }
        let kurento_options = kurento_options(fields)?;
        let ice_servers = ice_servers(fields, now)?;
        Ok(Self::Person(Grant { role, server_data, record: true, kurento_options, ice_servers }))
    }

    /// The rights of the participant of a connection. A camera has none.
    pub(crate) fn grant(self, fields: &Fields<'_>) -> Result<Grant, Error> {
        let record = fields.boolean("record").map_err(Refused::RecordType)?.unwrap_or(true);
        match self {
            Self::Person(grant) => Ok(Grant { record, ..grant }),
            Self::Camera => Err(Error::NoIpCameras),
        }
    }

    /// The rights of the bearer of a token, who is always recorded where the session is. A camera bears none.
    pub(crate) fn bearer(self) -> Result<Grant, Error> {
        match self {
            Self::Person(grant) => Ok(grant),
            Self::Camera => Err(Refused::ConnectionType(Sent::new("IPCAM")).into()),
        }
    }
}

/// Checks the parameters that only IP cameras have.
fn check_camera(fields: &Fields<'_>) -> Result<(), Refused> {
    for name in ["adaptativeBitrate", "onlyPlayWithSubscribers"] {
        fields.boolean(name).map_err(Refused::Type)?;
    }
    fields.integer("networkCache").map_err(Refused::Type)?;
    let missing = WrongType { name: "rtspUri", expected: "a string" };
    let uri = fields.text("rtspUri").and_then(|uri| uri.ok_or(missing)).map_err(Refused::Type)?;
    let scheme = uri.split_once("://").filter(|(_, rest)| !rest.is_empty()).map(|(scheme, _)| scheme);
    let is_known = |scheme: &str| CAMERA_SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
    let is_uri = uri.chars().all(|character| !character.is_whitespace() && !character.is_control());
    if is_uri && scheme.is_some_and(is_known) { Ok(()) } else { Err(Refused::RtspUri) }
}

fn kurento_options(fields: &Fields<'_>) -> Result<Option<KurentoOptions>, Refused> {
    let name = "kurentoOptions";
    let Some(given) = fields.object(name).map_err(|_| Refused::NoJson(name))? else { return Ok(None) };
    options::read(&given, |wrong| Err(Refused::TypeInside(name, wrong))).map(Some)
}

fn ice_servers(fields: &Fields<'_>, now: Timestamp) -> Result<Vec<IceServer>, Refused> {
    let servers = fields.objects(ICE_SERVERS).map_err(|_| Refused::NoJson("customIceServersJson"))?;
    let wrong = |wrong| Refused::TypeInside(ICE_SERVERS, wrong);
    servers.unwrap_or_default().into_iter().map(|server| ice_server(&server.map_err(wrong)?, now)).collect()
}

fn ice_server(server: &Fields<'_>, now: Timestamp) -> Result<IceServer, Refused> {
    let text = |name| server.text(name).map_err(|wrong| Refused::TypeInside(ICE_SERVERS, wrong));
    let url = text("url")?.ok_or(Refused::IceServer)?;
    let credentials = match (text("username")?, text("credential")?, text("staticAuthSecret")?) {
        (None, None, None) => IceCredentials::None,
        (Some(username), Some(credential), None) => IceCredentials::Password(username, credential),
        (None, None, Some(secret)) => IceCredentials::Secret(secret.into()),
        _ => return Err(Refused::IceServer),
    };
    IceServer::parse(url, &credentials, now).ok_or(Refused::IceServer)
}
