//! Participants' tokens of LiveKit, which the server checks by itself (`docs/apis/livekit.md`).

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    config::{LiveKit, LiveKitKey},
    hs256,
    id::{ConnectionName, ProviderSessionId},
    model::connection::Role,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::provider::ProviderToken;

/// The rights of a participant in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveKitRights {
    /// Listen and watch.
    Subscribe,
    /// Also speak, and send data, but no video.
    Speak,
    /// Also send streams of every kind.
    Publish,
    /// Also remove others and mute them.
    Moderate,
}

impl LiveKitRights {
    /// Whether they allow sending anything.
    pub(super) fn publish(self) -> bool {
        self != Self::Subscribe
    }
}

impl From<Role> for LiveKitRights {
    fn from(role: Role) -> Self {
        match role {
            Role::Subscriber => Self::Subscribe,
            Role::Publisher => Self::Publish,
            Role::Moderator => Self::Moderate,
        }
    }
}

/// The right to be in a room.
#[derive(Clone, Copy, Debug)]
pub struct LiveKitGrant<'a> {
    /// The room.
    pub room: &'a ProviderSessionId,
    /// The connection, whose name is the participant's identity.
    pub name: &'a ConnectionName,
    /// What the participant may do there.
    pub rights: LiveKitRights,
    /// When the token ends, rounded down to a second.
    pub expires_at: Timestamp,
}

/// The data with which a client of LiveKit joins a room.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LiveKitAccess {
    /// The address of the server.
    #[schema(example = "wss://livekit.example")]
    url: String,
    /// The room.
    #[schema(example = "e7-s9-abcdefghijkl")]
    room: ProviderSessionId,
    /// A token for the room.
    #[schema(example = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln")]
    pub token: ProviderToken,
    /// When the token ends. Who is in the room then stays.
    #[schema(example = "2026-11-30T20:00:00Z")]
    expires_at: String,
}

greenroom_core::opaque!(LiveKitAccess);

/// A token cannot be made: the key cannot sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a LiveKit token cannot be signed")]
pub struct TokenError;

/// The claims of a participant's token. Each permission is written out, because the server takes a missing one for
/// granted.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    iat: i64,
    nbf: i64,
    exp: i64,
    video: Video<'a>,
    /// Everybody in the room reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "LiveKit's form of a grant")]
struct Video<'a> {
    room: &'a str,
    room_join: bool,
    can_publish: bool,
    can_subscribe: bool,
    can_publish_data: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_publish_sources: Option<[&'static str; 1]>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    room_admin: bool,
}

/// Signs participants' tokens.
pub(super) struct TokenSigner {
    url: String,
    key: Option<SigningKey>,
    header: Header,
}

impl TokenSigner {
    /// A signer with the first key of this server.
    pub(super) fn new(server: &LiveKit) -> Self {
        Self { url: server.client_url.clone(), key: SigningKey::of(server), header: Header::new(Algorithm::HS256) }
    }

    /// The address that clients connect to.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn access(&self, grant: &LiveKitGrant<'_>, now: Timestamp) -> Result<LiveKitAccess, TokenError> {
        let token = self.token(grant, None, now)?;
        let (room, expires_at) = (grant.room.clone(), grant.expires_at.whole_second().to_string());
        Ok(LiveKitAccess { url: self.url.clone(), room, token, expires_at })
    }

    /// A token with this metadata.
    pub(super) fn token(
        &self,
        grant: &LiveKitGrant<'_>,
        metadata: Option<&str>,
        now: Timestamp,
    ) -> Result<ProviderToken, TokenError> {
        let LiveKitGrant { room, name, rights, expires_at } = *grant;
        let publishes = rights.publish();
        let key = self.key.as_ref().ok_or(TokenError)?;
        let claims = Claims {
            iss: &key.id,
            sub: name.as_str(),
            iat: now.seconds(),
            nbf: now.seconds(),
            exp: expires_at.seconds(),
            video: Video {
                room: room.as_str(),
                room_join: true,
                can_publish: publishes,
                can_subscribe: true,
                can_publish_data: publishes,
                can_publish_sources: (rights == LiveKitRights::Speak).then_some(["microphone"]),
                room_admin: rights == LiveKitRights::Moderate,
            },
            metadata,
        };
        jsonwebtoken::encode(&self.header, &claims, &key.key).map(ProviderToken).map_err(|_| TokenError)
    }
}

/// The key that signs.
pub(super) struct SigningKey {
    /// Its id.
    pub(super) id: String,
    pub(super) key: EncodingKey,
}

impl SigningKey {
    /// The first key of this server. `None` if it has none, or its secret cannot sign, which the configuration rules
    /// out.
    pub(super) fn of(server: &LiveKit) -> Option<Self> {
        hs256::install();
        let LiveKitKey { id, secret } = server.keys.first()?;
        Some(Self { id: id.clone(), key: EncodingKey::from_secret(secret.expose_secret().as_bytes()).ok()? })
    }
}

/// How long Greenroom's own requests to the server are valid.
pub(super) const REQUEST_TTL: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use greenroom_core::{config::LiveKitRooms, model::RoomName};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn server() -> LiveKit {
        let keys = [("first", "the-first-secret-of-the-server-01"), ("second", "the-second-secret-of-the-server-2")];
        let keys = keys.map(|(id, secret)| LiveKitKey { id: id.to_owned(), secret: secret.into() });
        LiveKit {
            api_url: "http://127.0.0.1:7880".to_owned(),
            client_url: "ws://127.0.0.1:7880".to_owned(),
            keys: keys.into(),
            token_ttl: Duration::from_hours(6),
            rooms: LiveKitRooms::Auto,
        }
    }

    #[rstest]
    #[case::listener(LiveKitRights::Subscribe, json!({"canPublish": false, "canPublishData": false}))]
    #[case::interpreter(
        LiveKitRights::Speak,
        json!({"canPublish": true, "canPublishData": true, "canPublishSources": ["microphone"]})
    )]
    #[case::floor(LiveKitRights::Publish, json!({"canPublish": true, "canPublishData": true}))]
    #[case::moderator(LiveKitRights::Moderate, json!({"canPublish": true, "canPublishData": true, "roomAdmin": true}))]
    fn each_permission_is_written_out(#[case] rights: LiveKitRights, #[case] mut video: Value) {
        let room = RoomName::EventSession { event: 7, session: 9 }.room();
        let name = ConnectionName::random();
        let expires_at = NOW + Duration::from_millis(60_999);
        let access =
            TokenSigner::new(&server()).access(&LiveKitGrant { room: &room, name: &name, rights, expires_at }, NOW);
        let access = access.unwrap();
        let token = access.token.as_str().to_owned();
        let parts: Vec<_> = token.split('.').map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let parts: Vec<Value> = parts[..2].iter().map(|part| serde_json::from_slice(part).unwrap()).collect();
        assert_eq!(parts[0], json!({"alg": "HS256", "typ": "JWT"}));
        video["room"] = json!(room);
        video["roomJoin"] = json!(true);
        video["canSubscribe"] = json!(true);
        let (now, exp) = (1_700_000_000, 1_700_000_060);
        let claims = json!({"iss": "first", "sub": name, "iat": now, "nbf": now, "exp": exp, "video": video});
        assert_eq!(parts[1], claims);
        let shown = serde_json::to_value(&access).unwrap();
        let expected = json!({
            "url": "ws://127.0.0.1:7880", "room": room, "token": token, "expiresAt": "2023-11-14T22:14:20Z",
        });
        assert_eq!(shown, expected);
    }
}
