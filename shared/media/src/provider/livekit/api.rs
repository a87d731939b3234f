//! LiveKit's server API: Twirp, as JSON over HTTP (`docs/apis/livekit.md`).

use std::time::Duration;

use axum::body::Bytes;
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::LiveKit,
    id::ProviderSessionId,
};
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use jsonwebtoken::{Algorithm, Header};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::token::{LiveKitRights, REQUEST_TTL, SigningKey};
use crate::{
    outgoing::{self, HttpClient},
    provider::ProviderError,
};

/// The timeout of a request, from connecting to the last byte of the answer.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes. A list of 5,000 participants has a sixth of it.
const ANSWER_MAX: usize = 32 << 20;

/// How long a room that Greenroom made stays open while nobody is in it.
const EMPTY: Duration = Duration::from_hours(24);

/// The permission that a request needs. It is in the request's token.
#[derive(Clone, Copy, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Permission<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    room_admin: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    room_create: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    room_list: bool,
}

impl<'a> Permission<'a> {
    /// The permission for what happens in one room.
    pub(super) fn of_room(room: &'a str) -> Self {
        Self { room: Some(room), room_admin: true, ..Self::default() }
    }
}

/// The claims in the token of a request.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    nbf: i64,
    exp: i64,
    video: Permission<'a>,
}

/// An open room in the server's list.
#[derive(Clone, Deserialize)]
pub struct ListedRoom {
    /// The server's id of it. A room that is made again has another.
    #[serde(default)]
    pub sid: String,
    /// Its name.
    pub name: ProviderSessionId,
    /// When it was opened, in seconds.
    #[serde(default, deserialize_with = "number")]
    creation_time: i64,
}

greenroom_core::opaque!(ListedRoom);

impl ListedRoom {
    /// When the server opened it, by the server's clock.
    #[must_use]
    pub fn opened_at(&self) -> Timestamp {
        Timestamp::from_seconds(self.creation_time)
    }
}

/// A participant in the server's list.
#[derive(Clone, Deserialize)]
pub struct ListedParticipant {
    /// The server's id of the participant.
    pub sid: String,
    /// Their identity: the name of a connection, or one that another application chose.
    pub identity: String,
    /// How far the connection got.
    #[serde(default)]
    state: State,
    /// The tracks that the participant publishes.
    #[serde(default)]
    tracks: Vec<ListedTrack>,
    /// When the participant joined, in seconds.
    #[serde(default, alias = "joinedAt", deserialize_with = "number")]
    joined_at: i64,
    /// When the participant joined, in milliseconds. Servers before 1.9 do not say.
    #[serde(default, alias = "joinedAtMs", deserialize_with = "number")]
    joined_at_ms: i64,
}

greenroom_core::opaque!(ListedParticipant);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    #[default]
    Joining,
    Joined,
    Active,
    Disconnected,
    #[serde(other)]
    Other,
}

#[derive(Clone, Deserialize)]
struct ListedTrack {
    #[serde(default)]
    sid: String,
    #[serde(default)]
    muted: bool,
}

impl ListedParticipant {
    /// Whether media flow to and from the participant. Until then only the signalling is open, through which the
    /// participant already sees who else is there.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state == State::Active
    }

    /// Whether the participant has gone.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.state == State::Disconnected
    }

    /// When the participant joined, by the server's clock.
    #[must_use]
    pub fn joined_at(&self) -> Timestamp {
        match self.joined_at_ms {
            0 => Timestamp::from_seconds(self.joined_at),
            millis => Timestamp::from_millis(millis),
        }
    }

    /// The tracks that are not muted, by the server's ids.
    #[must_use]
    pub fn tracks(&self) -> Vec<String> {
        self.tracks.iter().filter(|track| !track.muted).map(|track| track.sid.clone()).collect()
    }
}

/// Reads a 64-bit number, which Twirp writes as a text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().unwrap_or_default(),
        Value::Number(number) => number.as_i64().unwrap_or_default(),
        _ => 0,
    })
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rooms {
    rooms: Vec<ListedRoom>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Participants {
    participants: Vec<ListedParticipant>,
}

/// The body of an error of Twirp.
#[derive(Deserialize)]
struct Failure {
    code: String,
}

/// The server API.
pub(super) struct LiveKitApi {
    url: String,
    key: Option<SigningKey>,
    clock: Clock,
    http: HttpClient,
    pub(super) timeout: Duration,
}

impl LiveKitApi {
    /// The API of this server. The first request connects to it.
    pub(super) fn new(server: &LiveKit, clock: Clock) -> Self {
        let (url, key) = (server.api_url.clone(), SigningKey::of(server));
        Self { url, key, clock, http: outgoing::client(), timeout: TIMEOUT }
    }

    pub(super) async fn remove_participant(&self, room: &str, identity: &str) -> Result<(), ProviderError> {
        let body = json!({ "room": room, "identity": identity });
        self.tell("RemoveParticipant", Permission::of_room(room), &body).await
    }

    /// All permissions are sent, because the server drops those that are missing. It knows sources in upper case only,
    /// and takes others for none, which allows every source.
    pub(super) async fn update_participant(
        &self,
        room: &str,
        identity: &str,
        rights: LiveKitRights,
    ) -> Result<(), ProviderError> {
        let publishes = rights.publish();
        let sources: &[&str] = if rights == LiveKitRights::Speak { &["MICROPHONE"] } else { &[] };
        let permission = json!({
            "can_subscribe": true, "can_publish": publishes, "can_publish_data": publishes, "can_publish_sources": sources,
            "hidden": false, "can_update_metadata": false, "can_subscribe_metrics": false,
        });
        let body = json!({ "room": room, "identity": identity, "permission": permission });
        self.tell("UpdateParticipant", Permission::of_room(room), &body).await
    }

    pub(super) async fn delete_room(&self, room: &str) -> Result<(), ProviderError> {
        let permission = Permission { room_create: true, ..Permission::default() };
        self.tell("DeleteRoom", permission, &json!({ "room": room })).await
    }

    /// Makes a room, if there is none of that name. It stays open while nobody is in it.
    pub(super) async fn create_room(&self, room: &str) -> Result<(), ProviderError> {
        let permission = Permission { room_create: true, ..Permission::default() };
        let seconds = EMPTY.as_secs();
        let body = json!({ "name": room, "empty_timeout": seconds, "departure_timeout": seconds });
        self.call::<IgnoredAny>("CreateRoom", permission, &body).await.map(drop)
    }

    pub(super) async fn rooms(&self) -> Result<Vec<ListedRoom>, ProviderError> {
        let permission = Permission { room_list: true, ..Permission::default() };
        Ok(self.call::<Rooms>("ListRooms", permission, &json!({})).await?.rooms)
    }

    pub(super) async fn participants(&self, room: Permission<'_>) -> Result<Vec<ListedParticipant>, ProviderError> {
        let body = json!({ "room": room.room });
        Ok(self.call::<Participants>("ListParticipants", room, &body).await?.participants)
    }

    /// Has the server do something. What it does not know is done already.
    async fn tell(&self, method: &str, permission: Permission<'_>, body: &Value) -> Result<(), ProviderError> {
        match self.exchange(method, permission, body).await? {
            // A page of a proxy says nothing of the participant.
            (StatusCode::OK, body) if serde_json::from_slice::<Map<String, Value>>(&body).is_ok() => Ok(()),
            (StatusCode::NOT_FOUND, body) if code(&body).as_deref() == Some("not_found") => Ok(()),
            (status, body) => Err(failure(status, &body)),
        }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        permission: Permission<'_>,
        body: &Value,
    ) -> Result<T, ProviderError> {
        match self.exchange(method, permission, body).await? {
            (StatusCode::OK, body) => serde_json::from_slice(&body).map_err(|_| ProviderError::Unreadable),
            (status, body) => Err(failure(status, &body)),
        }
    }

    async fn exchange(
        &self,
        method: &str,
        permission: Permission<'_>,
        body: &Value,
    ) -> Result<(StatusCode, Bytes), ProviderError> {
        let request = self.request(method, permission, body)?;
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| ProviderError::unreachable(&error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_MAX).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    ProviderError::TooLong
                } else {
                    ProviderError::unreachable(&*error)
                }
            })?;
            Ok((status, body.to_bytes()))
        };
        timeout(self.timeout, exchange).await.unwrap_or(Err(ProviderError::TimedOut))
    }

    fn request(&self, method: &str, video: Permission<'_>, body: &Value) -> Result<Request<String>, ProviderError> {
        let now = self.clock.now();
        let key = self.key.as_ref().ok_or(ProviderError::Request)?;
        let claims = Claims { iss: &key.id, nbf: now.seconds(), exp: (now + REQUEST_TTL).seconds(), video };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key.key);
        let token = token.map_err(|_| ProviderError::Request)?;
        Request::post(format!("{}/twirp/livekit.RoomService/{method}", self.url))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("greenroom/", env!("CARGO_PKG_VERSION")))
            .body(body.to_string())
            .map_err(|_| ProviderError::Request)
    }
}

/// The code in the body of an error; `None` if the error is not the API's own.
fn code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Failure>(body).ok().map(|failure| failure.code)
}

/// The error of an answer. Nothing of the body gets into it: a server that does not know our key sends our token back.
fn failure(status: StatusCode, body: &[u8]) -> ProviderError {
    match status {
        // The server understood the token.
        StatusCode::UNAUTHORIZED if code(body).is_some() => ProviderError::Permission,
        StatusCode::UNAUTHORIZED => ProviderError::Credentials,
        StatusCode::OK => ProviderError::Unreadable,
        other => ProviderError::Status(other.as_u16()),
    }
}

#[cfg(test)]
mod tests;
