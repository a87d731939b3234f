//! Connections in the form of OpenVidu 2.32.

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        self,
        connection::{KurentoOptions, MediaToken, Role, ServerData},
        ice_server::IceServer,
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// A connection, in the form of OpenVidu 2.32: one participant's right to join a session. Greenroom does not see its
/// use, so it stays `pending`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduConnection)]
pub struct Connection {
    /// The connection's id.
    id: ConnectionId,
    /// Always `connection`.
    #[schema(example = "connection")]
    object: &'static str,
    /// Always `pending`.
    #[schema(example = "pending")]
    status: &'static str,
    /// The connection's id, again.
    connection_id: ConnectionId,
    /// The session that it is in.
    session_id: MediaSessionId,
    /// When it was made, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// Always `WEBRTC`.
    #[serde(rename = "type")]
    #[schema(example = "WEBRTC")]
    kind: &'static str,
    /// Whether its participant's streams are recorded where the session is.
    #[schema(example = true)]
    record: bool,
    /// The rights of its participant.
    role: Role,
    /// The options for the media server, if the back-end gave some.
    kurento_options: Option<KurentoOptions>,
    /// The ICE servers that its participant's client has to use.
    custom_ice_servers: Vec<IceServer>,
    /// Always null: it belongs to IP cameras.
    #[schema(example = json!(null))]
    rtsp_uri: Option<String>,
    /// Always null: it belongs to IP cameras.
    #[schema(example = json!(null))]
    adaptative_bitrate: Option<bool>,
    /// Always null: it belongs to IP cameras.
    #[schema(example = json!(null))]
    only_play_with_subscribers: Option<bool>,
    /// Always null: it belongs to IP cameras.
    #[schema(example = json!(null))]
    network_cache: Option<u32>,
    /// The back-end's metadata.
    server_data: ServerData,
    /// The URL with which its participant joins.
    token: MediaToken,
    /// Always null: nobody is seen to join.
    #[schema(example = json!(null))]
    active_at: Option<Timestamp>,
    /// Always null: nobody is seen to join.
    #[schema(example = json!(null))]
    location: Option<String>,
    /// Always null: nobody is seen to join.
    #[schema(example = json!(null))]
    ip: Option<String>,
    /// Always null: nobody is seen to join.
    #[schema(example = json!(null))]
    platform: Option<String>,
    /// Always null: nobody is seen to join.
    #[schema(example = json!(null))]
    client_data: Option<String>,
    /// Always null: nobody is seen to join.
    #[schema(value_type = Option<Vec<Object>>, example = json!(null))]
    publishers: Option<[(); 0]>,
    /// Always null: nobody is seen to join.
    #[schema(value_type = Option<Vec<Object>>, example = json!(null))]
    subscribers: Option<[(); 0]>,
}

impl From<model::Connection> for Connection {
    fn from(connection: model::Connection) -> Self {
        let model::Connection { connection_id, session_id, token, grant, created_at, .. } = connection;
        Self {
            id: connection_id.clone(),
            object: "connection",
            status: "pending",
            connection_id,
            session_id,
            created_at,
            kind: "WEBRTC",
            record: grant.record,
            role: grant.role,
            kurento_options: grant.kurento_options,
            custom_ice_servers: grant.ice_servers,
            rtsp_uri: None,
            adaptative_bitrate: None,
            only_play_with_subscribers: None,
            network_cache: None,
            server_data: grant.server_data,
            token,
            active_at: None,
            location: None,
            ip: None,
            platform: None,
            client_data: None,
            publishers: None,
            subscribers: None,
        }
    }
}
