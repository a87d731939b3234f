//! Sessions and connections in the form of OpenVidu 2.15.

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        self,
        connection::{MediaToken, Role, ServerData},
        media_session::{MediaMode, OutputMode, RecordingLayout, RecordingMode},
    },
};
use greenroom_http::dialect::openvidu::Error;
use greenroom_media::{Services, media_token::media_token};
use greenroom_openvidu::List;
use serde::Serialize;
use utoipa::ToSchema;

/// A media session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MediaSession)]
pub(crate) struct Session {
    /// The session's id.
    session_id: MediaSessionId,
    /// When the session was opened, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// Whether streams pass through a media server.
    media_mode: MediaMode,
    /// When the session is recorded.
    recording_mode: RecordingMode,
    /// The files that a recording consists of.
    default_output_mode: OutputMode,
    /// Present for composed recordings only.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_recording_layout: Option<RecordingLayout>,
    /// Present for the layout `CUSTOM` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "")]
    default_custom_layout: Option<String>,
    /// The session's id, if the back-end chose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_session_id: Option<MediaSessionId>,
    /// The connections with valid tokens.
    connections: List<Connection>,
    /// Whether it is being recorded. Greenroom records nothing.
    #[schema(example = false)]
    recording: bool,
}

/// A connection with a valid token.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MediaConnection)]
struct Connection {
    /// The connection's id.
    connection_id: ConnectionId,
    /// When the connection's token was issued, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// Always `unknown`.
    #[schema(example = "unknown")]
    location: &'static str,
    /// Always `unknown`.
    #[schema(example = "unknown")]
    platform: &'static str,
    /// The token.
    token: MediaToken,
    /// The rights of its bearer.
    role: Role,
    /// The back-end's metadata.
    server_data: ServerData,
    /// Always empty.
    #[schema(example = "")]
    client_data: &'static str,
    /// Always empty: Greenroom carries no streams.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    publishers: [(); 0],
    /// Always empty: Greenroom carries no streams.
    #[schema(value_type = Vec<Object>, example = json!([]))]
    subscribers: [(); 0],
}

impl Session {
    /// A session with these connections.
    pub(crate) fn of(
        services: &Services,
        session: model::MediaSession,
        connections: Vec<model::Connection>,
    ) -> Result<Self, Error> {
        let connections = connections.into_iter().map(|connection| {
            let token = media_token(services, &connection)?;
            Ok(Connection::of(connection, token))
        });
        let connections = connections.collect::<Result<_, Error>>()?;
        let properties = session.properties;
        let recording = properties.recording;
        let layout = recording.is_composed().then_some(recording.layout);
        let is_custom = layout == Some(RecordingLayout::Custom);
        Ok(Self {
            created_at: session.created_at,
            media_mode: properties.media_mode,
            recording_mode: properties.recording_mode,
            default_output_mode: recording.output_mode,
            default_recording_layout: layout,
            default_custom_layout: is_custom.then_some(recording.custom_layout),
            custom_session_id: session.has_custom_id.then(|| session.session_id.clone()),
            session_id: session.session_id,
            connections,
            recording: false,
        })
    }
}

impl Connection {
    fn of(connection: model::Connection, token: MediaToken) -> Self {
        Self {
            connection_id: connection.connection_id,
            created_at: connection.created_at,
            location: "unknown",
            platform: "unknown",
            token,
            role: connection.grant.role,
            server_data: connection.grant.server_data,
            client_data: "",
            publishers: [],
            subscribers: [],
        }
    }
}
