//! What the media provider's session monitoring makes of a connection (`docs/apis/opentok.md`).
//!
//! One token may be used by several clients, several times: each is a connection of the provider's own. The name is
//! connected while any of them is open.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{EndReason, LiveConnection, Source};
use crate::{
    clock::{Timestamp, seconds},
    id::ProviderSessionId,
};

/// For how long a callback counts once (`docs/apis/access.md`): as long as one may be on its way with the same time in
/// it.
pub const CALLBACK_KEPT: Duration = Duration::from_mins(10);

/// How many clients of a name are known (`docs/apis/access.md`).
const CLIENTS_MAX: usize = 5;

/// Where a client stands among those of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// What is known of it.
    pub known: Option<&'a ProviderConnection>,
    /// Who is forgotten for it.
    pub instead_of: Option<&'a str>,
}

/// Where a client stands among those that are kept of its name; `None` where there is no room for it, for as many are
/// there. Who has gone makes room, the first of them first.
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
    /// What the provider calls it.
    pub id: String,
    /// What the provider calls the session that it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_session: Option<ProviderSessionId>,
    /// When it was made, where we were told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destroyed_at: Option<Timestamp>,
    /// When what is left of it is collected.
    #[serde(with = "seconds")]
    pub expires_at: Timestamp,
}

/// What happened to one client's connection, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderEvent {
    /// It was made.
    Created(Timestamp),
    /// It is over.
    Destroyed {
        /// When it was made, where we are told.
        created_at: Option<Timestamp>,
        /// When it ended.
        at: Timestamp,
        /// Why.
        reason: EndReason,
    },
}

impl ProviderConnection {
    /// Whether the client is there.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.created_at.is_some() && self.destroyed_at.is_none()
    }
}

impl LiveConnection {
    /// What an event makes of the name and of the client's connection; `None` where both stay as they are.
    ///
    /// What comes after the end of the client's connection is late, and changes nothing.
    #[must_use]
    pub fn with_provider_event(
        &self,
        id: &str,
        known: Option<&ProviderConnection>,
        event: &ProviderEvent,
        now: Timestamp,
    ) -> Option<(Self, ProviderConnection)> {
        // A media server's viewer has no token of the provider's.
        let Source::Event { provider_session } = &self.source else { return None };
        let mut client = known.cloned().unwrap_or_else(|| ProviderConnection {
            id: id.to_owned(),
            provider_session: Some(provider_session.clone()),
            created_at: None,
            destroyed_at: None,
            expires_at: self.expires_at,
        });
        let mut after = self.clone();
        // The provider's clock is not ours.
        let when = |at: Timestamp| at.max(self.created_at).min(now.max(self.created_at));
        match event {
            ProviderEvent::Created(at) if known.is_none() => {
                client.created_at = Some(*at);
                after.open += 1;
                // A dead token does not come alive; one that was only disconnected does.
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
                    // Where the end is told first, the beginning too is known by it.
                    after.connected_at = self.connected_at.or(created_at.map(when));
                    let came = after.connected_at.unwrap_or(self.created_at);
                    after = after.ended(when(*at).max(came), reason.clone(), reason.of_whom());
                }
            }
            ProviderEvent::Created(_) | ProviderEvent::Destroyed { .. } => return None,
        }
        Some((after, client))
    }

    /// Whether it is of an event's token whose time is not over, whether or not that still leads anywhere.
    #[must_use]
    pub fn has_token(&self, now: Timestamp) -> bool {
        matches!(self.source, Source::Event { .. }) && now < self.ends_at
    }

    /// Whether its client has gone, and may come back with the same token.
    #[must_use]
    pub fn may_return(&self, now: Timestamp) -> bool {
        self.has_token(now) && self.ended.is_some() && !self.is_terminated()
    }

    /// Whether a client that comes under its name has to be sent away: the token is dead.
    #[must_use]
    pub fn sends_away(&self, now: Timestamp) -> bool {
        self.is_terminated() || self.is_held(now)
    }
}
