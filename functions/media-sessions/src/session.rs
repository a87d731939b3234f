//! Sessions and connections as OpenVidu 2.15 writes them.

use serde::Serialize;
use shared::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        self,
        connection::{MediaToken, Role, ServerData},
        media_session::{MediaMode, OutputMode, RecordingLayout, RecordingMode},
    },
};
use utoipa::ToSchema;

use crate::List;

/// A media session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    session_id: MediaSessionId,
    created_at: Timestamp,
    media_mode: MediaMode,
    recording_mode: RecordingMode,
    default_output_mode: OutputMode,
    /// Of composed recordings only.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_recording_layout: Option<RecordingLayout>,
    /// Of the layout `CUSTOM` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_custom_layout: Option<String>,
    /// Where the back-end chose the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    custom_session_id: Option<MediaSessionId>,
    connections: List<Connection>,
    recording: bool,
}

/// A connection: a token that was issued and is good.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Connection {
    connection_id: ConnectionId,
    created_at: Timestamp,
    location: &'static str,
    platform: &'static str,
    token: MediaToken,
    role: Role,
    server_data: ServerData,
    client_data: &'static str,
    /// We carry no streams.
    #[schema(value_type = Vec<Object>)]
    publishers: [(); 0],
    #[schema(value_type = Vec<Object>)]
    subscribers: [(); 0],
}

impl From<(model::MediaSession, Vec<model::Connection>)> for Session {
    fn from((session, connections): (model::MediaSession, Vec<model::Connection>)) -> Self {
        let properties = session.properties;
        let composed = match properties.default_output_mode {
            OutputMode::Composed | OutputMode::ComposedQuickStart => true,
            OutputMode::Individual => false,
        };
        let layout = composed.then_some(properties.default_recording_layout);
        let custom = layout == Some(RecordingLayout::Custom);
        Self {
            created_at: session.created_at,
            media_mode: properties.media_mode,
            recording_mode: properties.recording_mode,
            default_output_mode: properties.default_output_mode,
            default_recording_layout: layout,
            default_custom_layout: custom.then_some(properties.default_custom_layout),
            custom_session_id: session.has_custom_id.then(|| session.session_id.clone()),
            session_id: session.session_id,
            connections: connections.into_iter().map(Connection::from).collect(),
            recording: false,
        }
    }
}

impl From<model::Connection> for Connection {
    fn from(connection: model::Connection) -> Self {
        Self {
            connection_id: connection.connection_id,
            created_at: connection.created_at,
            location: "unknown",
            platform: "unknown",
            token: connection.token,
            role: connection.role,
            server_data: connection.server_data,
            client_data: "",
            publishers: [],
            subscribers: [],
        }
    }
}
