//! What the media provider's session monitoring makes of a connection (`opentok.md`).
//!
//! One token may be used by several clients, several times: each is a connection of the provider's own. The name is
//! connected while any of them is open.

use serde::{Deserialize, Serialize};

use super::{EndReason, LiveConnection};
use crate::clock::{Timestamp, seconds};

/// One client's connection under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProviderConnection {
    /// What the provider calls it.
    pub id: String,
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
    Destroyed(Timestamp, EndReason),
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
        let mut client = known.cloned().unwrap_or_else(|| ProviderConnection {
            id: id.to_owned(),
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
            ProviderEvent::Destroyed(at, reason) if client.destroyed_at.is_none() => {
                let was_open = client.is_open();
                client.destroyed_at = Some(*at);
                after.open -= u32::from(was_open && after.open > 0);
                if was_open && after.open == 0 && self.is_live(now) {
                    after = after.ended(when(*at).max(self.connected_at.unwrap_or(self.created_at)), reason.clone());
                }
            }
            ProviderEvent::Created(_) | ProviderEvent::Destroyed(..) => return None,
        }
        Some((after, client))
    }

    /// Whether a client that comes under its name has to be sent away: the token is dead.
    #[must_use]
    pub fn sends_away(&self, now: Timestamp) -> bool {
        self.is_terminated() || self.is_held(now)
    }
}
