//! A LiveKit server as the media provider (`docs/apis/livekit.md`).
//!
//! A session is a room. Its name is made up here, and the server makes the room when somebody joins. LiveKit's own crate
//! would bring Protocol Buffers and a second HTTP client into every function that mints a token; its server also speaks
//! JSON, and a token is a JWT.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use futures_util::future::{FutureExt, ready, try_join_all};
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::{LiveKit, LiveKitRooms},
    id::{ConnectionName, ProviderSessionId},
    model::{
        Connection,
        connection::{MediaToken, ServerData},
    },
};
use tokio::time::timeout;

use self::{
    api::{LiveKitApi, Permission},
    token::{LiveKitAccess, LiveKitGrant, LiveKitRights, TokenError, TokenSigner},
};
use super::{Answer, Archives, MediaProvider, NewSession, ProviderError};

pub(super) mod api;
pub(super) mod token;

/// How long a room that this process made is not made again.
const MADE: Duration = Duration::from_mins(1);
/// How long a participant waits for rooms to be made.
const MAKING: Duration = Duration::from_secs(2);

/// A LiveKit server.
pub struct LiveKitProvider {
    api: LiveKitApi,
    signer: TokenSigner,
    clock: Clock,
    rooms: LiveKitRooms,
    /// When this process made rooms.
    made: Mutex<BTreeMap<ProviderSessionId, Timestamp>>,
}

greenroom_core::opaque!(LiveKitProvider);

impl LiveKitProvider {
    /// A client of this server. It connects with the first request.
    #[must_use]
    pub fn new(server: &LiveKit, clock: Clock) -> Self {
        let (api, signer) = (LiveKitApi::new(server, clock.clone()), TokenSigner::new(server));
        Self { api, signer, clock, rooms: server.rooms, made: Mutex::default() }
    }

    /// The data with which a participant joins a room.
    ///
    /// # Errors
    /// No token can be signed.
    pub fn access(&self, grant: &LiveKitGrant<'_>) -> Result<LiveKitAccess, TokenError> {
        self.signer.access(grant, self.clock.now())
    }

    /// Makes these rooms, all at once, if the server does not make rooms by itself. Those that this process made within
    /// the last minute are left out.
    ///
    /// # Errors
    /// The server did not make one of them within two seconds.
    pub async fn make_rooms(&self, rooms: &[&ProviderSessionId]) -> Result<(), ProviderError> {
        if self.rooms == LiveKitRooms::Auto {
            return Ok(());
        }
        let now = self.clock.now();
        let missing: Vec<_> = {
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.retain(|_, at| now < *at + MADE);
            rooms.iter().filter(|room| !made.contains_key(**room)).collect()
        };
        let making = try_join_all(missing.iter().map(|room| self.api.create_room(room.as_str())));
        timeout(MAKING, making).await.unwrap_or(Err(ProviderError::TimedOut))?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.extend(missing.into_iter().map(|room| ((*room).clone(), now)));
        Ok(())
    }

    /// The token of a media session's connection: the address that clients connect to, with the server's token in its
    /// query. `None` if the connection is for no room.
    ///
    /// The connection's metadata is in the token, and everybody in the room sees it, as in OpenVidu.
    ///
    /// # Errors
    /// No token can be signed.
    pub fn media_token(&self, connection: &Connection) -> Result<Option<MediaToken>, TokenError> {
        let Some(room) = connection.room() else { return Ok(None) };
        let name = ConnectionName::from(&connection.connection_id);
        let rights = LiveKitRights::from(connection.grant.role);
        let grant = LiveKitGrant { room, name: &name, rights, expires_at: connection.token_ends_at() };
        let metadata = connection.grant.server_data.clone().given();
        let token = self.signer.token(&grant, metadata.as_ref().map(ServerData::as_str), self.clock.now())?;
        Ok(Some(MediaToken::of_room(self.signer.url(), &connection.session_id, token.as_str())))
    }

    /// Gives a participant these rights. If there is no such participant, they count as given.
    ///
    /// # Errors
    /// The server did not do so.
    pub async fn update_participant(
        &self,
        room: &str,
        identity: &str,
        rights: LiveKitRights,
    ) -> Result<(), ProviderError> {
        self.api.update_participant(room, identity, rights).await
    }

    /// Removes a participant from a room. If there is no such participant, it counts as removed.
    ///
    /// # Errors
    /// The server did not do so.
    pub async fn remove_participant(&self, room: &str, identity: &str) -> Result<(), ProviderError> {
        self.api.remove_participant(room, identity).await
    }

    /// Deletes a room, which puts everybody out. If there is no such room, it counts as deleted.
    ///
    /// # Errors
    /// The server did not do so.
    pub async fn delete_room(&self, room: &str) -> Result<(), ProviderError> {
        self.api.delete_room(room).await
    }

    /// The rooms of the server, those of other applications too.
    ///
    /// # Errors
    /// The server did not list them.
    pub async fn rooms(&self) -> Result<Vec<api::ListedRoom>, ProviderError> {
        self.api.rooms().await
    }

    /// The participants of a room. A room that is not open has none.
    ///
    /// # Errors
    /// The server did not list them.
    pub async fn participants(&self, room: &str) -> Result<Vec<api::ListedParticipant>, ProviderError> {
        self.api.participants(Permission::of_room(room)).await
    }
}

impl MediaProvider for LiveKitProvider {
    fn create_session<'a>(&'a self, session: &'a NewSession) -> Answer<'a, ProviderSessionId> {
        ready(Ok(session.purpose.room())).boxed()
    }

    fn records(&self) -> bool {
        // Recording is a service of its own beside the server, which Greenroom does not ask for.
        false
    }

    fn archives<'a>(&'a self, _: &'a ProviderSessionId, _: usize, _: usize) -> Answer<'a, Archives> {
        ready(Err(ProviderError::NoArchives)).boxed()
    }

    fn disconnect<'a>(&'a self, session: &'a ProviderSessionId, connection: &'a str) -> Answer<'a, ()> {
        self.remove_participant(session.as_str(), connection).boxed()
    }
}
