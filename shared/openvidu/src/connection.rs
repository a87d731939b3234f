//! Connections in the form of OpenVidu 2.32.

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, MediaSessionId},
    model::{
        self,
        connection::{KurentoOptions, MediaToken, Role, ServerData},
        ice_server::IceServer,
        live::{LiveConnection, State},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

/// A connection, in the form of OpenVidu 2.32: one participant's right to join a session. It is `active` while a LiveKit
/// server has its participant. Without a LiveKit server, Greenroom does not see its use, so it stays `pending`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduConnection)]
pub struct Connection {
    /// The connection's id.
    id: ConnectionId,
    /// Always `connection`.
    #[schema(example = "connection")]
    object: &'static str,
    /// `active` while its participant is there, and `pending` otherwise.
    status: Status,
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
    /// The URL with which its participant joins. One for a LiveKit server may differ each time it is read.
    token: MediaToken,
    /// When its participant connected, in milliseconds since the Unix epoch; null while it is pending.
    #[schema(required, example = json!(null))]
    active_at: Option<Timestamp>,
    /// Always null: it is not known.
    #[schema(example = json!(null))]
    location: Option<String>,
    /// Always null: it is not known.
    #[schema(example = json!(null))]
    ip: Option<String>,
    /// Always null: it is not known.
    #[schema(example = json!(null))]
    platform: Option<String>,
    /// Always null: it is not known.
    #[schema(example = json!(null))]
    client_data: Option<String>,
    /// The streams that its participant publishes; null while it is pending.
    #[schema(required, example = json!(null))]
    publishers: Option<Vec<Publisher>>,
    /// Empty, because it is not known who receives what; null while it is pending.
    #[schema(required, value_type = Option<Vec<Object>>, example = json!(null))]
    subscribers: Option<[(); 0]>,
}

/// Whether a connection's participant is there.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = OpenViduConnectionStatus)]
enum Status {
    /// Nobody uses its token.
    Pending,
    /// Its participant is there.
    Active,
}

/// A stream that a participant publishes: a track at the LiveKit server.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduPublisher)]
struct Publisher {
    /// When it was published, in milliseconds since the Unix epoch.
    created_at: Timestamp,
    /// The server's id of the track.
    #[schema(example = "TR_AMQNzVMTWGgkDw")]
    stream_id: String,
    /// What is in the stream.
    media_options: MediaOptions,
}

/// What is in a stream.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenViduMediaOptions)]
struct MediaOptions {
    /// Whether it is sound.
    #[schema(example = true)]
    has_audio: bool,
    /// Whether the sound is on; only with sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    audio_active: Option<bool>,
    /// Whether it is video.
    #[schema(example = false)]
    has_video: bool,
    /// Whether the video is on; only with video, as the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    video_active: Option<bool>,
    /// `CAMERA` or `SCREEN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "CAMERA")]
    type_of_video: Option<&'static str>,
    /// Always 0: it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 0)]
    frame_rate: Option<u32>,
    /// Always empty: they are not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "")]
    video_dimensions: Option<&'static str>,
    /// Always empty: Greenroom has no filters.
    #[schema(value_type = Object, example = json!({}))]
    filter: Filter,
}

/// No filter.
#[derive(Serialize)]
struct Filter {}

impl Connection {
    /// A connection as it is now, with its token.
    #[must_use]
    pub fn of(connection: model::Connection, token: MediaToken, now: Timestamp) -> Self {
        let is_active = Self::is_active(&connection, now);
        let live = LiveConnection::of_media(&connection);
        let publishers = is_active.then(|| live.published().into_iter().map(Publisher::of).collect());
        let model::Connection { connection_id, session_id, grant, created_at, .. } = connection;
        Self {
            id: connection_id.clone(),
            object: "connection",
            status: if is_active { Status::Active } else { Status::Pending },
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
            active_at: live.connected_at.filter(|_| is_active),
            location: None,
            ip: None,
            platform: None,
            client_data: None,
            publishers,
            subscribers: is_active.then_some([]),
        }
    }

    /// Whether the participant of a connection is there.
    #[must_use]
    pub fn is_active(connection: &model::Connection, now: Timestamp) -> bool {
        LiveConnection::of_media(connection).state(now) == State::Connected
    }
}

impl Publisher {
    /// A track and its beginning. The server's id of a track tells its kind: `TR_A…` is sound, `TR_V…` video, and
    /// `TR_VS…` a screen.
    fn of((sid, created_at): (&str, Timestamp)) -> Self {
        let has_video = sid.starts_with("TR_V");
        let type_of_video = if sid.starts_with("TR_VS") { "SCREEN" } else { "CAMERA" };
        let media_options = MediaOptions {
            has_audio: !has_video,
            audio_active: (!has_video).then_some(true),
            has_video,
            video_active: has_video.then_some(true),
            type_of_video: has_video.then_some(type_of_video),
            frame_rate: has_video.then_some(0),
            video_dimensions: has_video.then_some(""),
            filter: Filter {},
        };
        Self { created_at, stream_id: sid.to_owned(), media_options }
    }
}
