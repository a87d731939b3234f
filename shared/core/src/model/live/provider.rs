//! How the media provider's session monitoring changes a connection (`docs/apis/opentok.md`).
//!
//! Several clients may use one token, each several times. Each use is a connection of its own at the provider. The
//! connection of the name is connected while any of them is open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EndReason, LiveConnection, Source};
use crate::{
    clock::{Timestamp, seconds},
    id::ProviderSessionId,
};

/// How long a repeated callback is ignored (`docs/apis/access.md`). The provider may repeat a callback for so long.
pub const CALLBACK_KEPT: Duration = Duration::from_mins(10);

/// The largest number of clients that are stored for one name (`docs/apis/access.md`).
const CLIENTS_MAX: usize = 5;

/// Where a client is stored among those of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The stored connection of the client, if there is one.
    pub known: Option<&'a ProviderConnection>,
    /// The id of the stored client that it replaces; `None` if there is room for another.
    pub instead_of: Option<&'a str>,
}

/// Where a client is stored among those of its name. `None` if the name has as many clients as are stored, all of them
/// connected. A new client replaces the one that left first.
#[must_use]
pub fn place_among<'a>(kept: &'a [ProviderConnection], id: &str) -> Option<Place<'a>> {
    let known = kept.iter().find(|client| client.id == id);
    if known.is_some() || kept.len() < CLIENTS_MAX {
        return Some(Place { known, instead_of: None });
    }
    let gone = kept.iter().filter(|client| client.destroyed_at.is_some()).min_by_key(|client| client.destroyed_at)?;
    Some(Place { known, instead_of: Some(&gone.id) })
}

/// One client's connection under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderConnection {
    /// The provider's id of the connection.
    pub id: String,
    /// The provider's id of the session that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_session: Option<ProviderSessionId>,
    /// When it was opened; `None` if the provider has not reported that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed_at: Option<Timestamp>,
    /// When its item expires.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}

/// An event of one client's connection, with its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderEvent {
    /// It was opened.
    Created(Timestamp),
    /// It ended.
    Destroyed {
        /// When it was opened; `None` if the provider has not reported that.
        created_at: Option<Timestamp>,
        /// When it ended.
        at: Timestamp,
        /// Why it ended.
        reason: EndReason,
    },
}

impl ProviderConnection {
    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.created_at.is_some() && self.destroyed_at.is_none()
    }
}

impl LiveConnection {
    /// The name's connection and the client's connection after an event. `None` if neither changes.
    ///
    /// An event that comes after the end of the client's connection is late, and changes nothing.
    #[must_use]
    pub fn with_provider_event(
        &self,
        id: &str,
        known: Option<&ProviderConnection>,
        event: &ProviderEvent,
        now: Timestamp,
    ) -> Option<(Self, ProviderConnection)> {
        // A media server's viewer has no token of the provider.
        let Source::Event { provider_session } = &self.source else { return None };
        let mut client = known.cloned().unwrap_or_else(|| ProviderConnection {
            id: id.to_owned(),
            provider_session: Some(provider_session.clone()),
            created_at: None,
            destroyed_at: None,
            expires_at: self.expires_at,
        });
        let mut after = self.clone();
        // The provider's clock may differ from ours.
        let when = |at: Timestamp| at.max(self.created_at).min(now.max(self.created_at));
        match event {
            ProviderEvent::Created(at) if known.is_none() => {
                client.created_at = Some(*at);
                after.open += 1;
                // A terminated token stays terminated. A connection that was only disconnected becomes live again.
                if !self.is_terminated() && (self.ended.is_some() || self.connected_at.is_none()) {
                    after.connected_at = Some(when(*at));
                    after.ended = None;
                }
            }
            ProviderEvent::Destroyed { created_at, at, reason } if client.destroyed_at.is_none() => {
                after.open -= u32::from(client.is_open() && after.open > 0);
                client.created_at = client.created_at.or(*created_at);
                client.destroyed_at = Some(*at);
                if after.open == 0 && self.is_live(now) {
                    // If the end is reported first, it gives the beginning too.
                    after.connected_at = self.connected_at.or(created_at.map(when));
                    let came = after.connected_at.unwrap_or(self.created_at);
                    after = after.ended(when(*at).max(came), reason.clone(), reason.of_whom());
                }
            }
            ProviderEvent::Created(_) | ProviderEvent::Destroyed { .. } => return None,
        }
        Some((after, client))
    }

    /// Whether it was made by a media provider's token that has not expired, even if the token was terminated.
    #[must_use]
    pub fn has_token(&self, now: Timestamp) -> bool {
        matches!(self.source, Source::Event { .. } | Source::MediaRoom { .. }) && now < self.ends_at
    }

    /// Whether its client has left, and may return with the same token.
    #[must_use]
    pub fn may_return(&self, now: Timestamp) -> bool {
        (self.has_token(now) || self.has_servers_token(now)) && self.ended.is_some() && !self.is_terminated()
    }

    /// Whether a client that connects under its name has to be disconnected, because the token was terminated.
    #[must_use]
    pub fn sends_away(&self, now: Timestamp) -> bool {
        self.is_terminated() || self.is_held(now)
    }
}
