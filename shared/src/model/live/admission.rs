//! What a media server's webhooks make of a connection (`ovenmediaengine.md`).
//!
//! They come late, twice, out of order or never. What decides is the time that the media server gives, and a closing
//! wins over an opening of the same time; so whatever order they come in, the same connections are left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{EndReason, LiveConnection, REMEMBERED, Source, Stream};
use crate::{
    clock::Timestamp,
    id::{ConnectionName, hex},
    model::login_token::StreamRole,
};

/// Of how many clients under a name their closings are remembered.
const CLOSED_MAX: usize = 16;

/// Who was admitted, as the media server knows them.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Its address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// The URL it asked for.
    pub url: String,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Client {
    /// What it is recognised by, at a fixed length.
    #[must_use]
    pub fn key(&self) -> String {
        hex(&self.digest("")[..16])
    }

    /// The name of one that chose none: the same for the same client.
    #[must_use]
    pub fn name(&self, protocol: &str) -> ConnectionName {
        ConnectionName::made_of(&self.digest(&protocol.to_ascii_lowercase()))
    }

    fn digest(&self, protocol: &str) -> [u8; 32] {
        let Self { address, port, url } = self;
        Sha256::digest(format!("{protocol}\n{address}\n{port}\n{url}")).into()
    }
}

/// What a webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The stream.
    pub stream: Stream,
    /// The name of the connection in it.
    pub name: ConnectionName,
    /// What it does there: publishers are admitted, and not listed.
    pub role: StreamRole,
    /// The client.
    pub client: Client,
    /// When it happened, by the media server's clock.
    pub at: Timestamp,
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its session was terminated, and is held.
    Held,
    /// Another client has the name.
    Taken,
    /// It has closed since.
    Closed,
}

impl Webhook {
    /// What an opening makes of what is known of the name: a connection, or nothing new.
    ///
    /// # Errors
    /// The client is not let in.
    pub fn open(
        &self,
        before: Option<&LiveConnection>,
        now: Timestamp,
        ends_at: Timestamp,
    ) -> Result<Option<LiveConnection>, Refusal> {
        let Some(before) = before else { return Ok(Some(self.connection(now, ends_at))) };
        if before.is_held(now) {
            return Err(Refusal::Held);
        }
        // A token that is terminated stays dead by what is left of it, whatever the hold.
        if before.has_token(now) {
            return Err(if before.is_terminated() { Refusal::Held } else { Refusal::Taken });
        }
        let own = before.is_of(&self.client);
        if before.is_live(now) && !own {
            return Err(Refusal::Taken);
        }
        if before.closed.get(&self.client.key()).is_some_and(|closed| self.at <= *closed) {
            return Err(Refusal::Closed);
        }
        let opened_at = before.opened_at.filter(|_| own);
        let is_live = before.is_live(now);
        if is_live && (opened_at > Some(self.at) || opened_at == Some(self.at) && before.ends_at >= ends_at) {
            return Ok(None);
        }
        let begun = if is_live {
            // A repeated webhook: its client is there; the closing to come may not be older than it.
            let ends_at = before.ends_at.max(ends_at);
            LiveConnection { opened_at: Some(self.at), ends_at, expires_at: ends_at + REMEMBERED, ..before.clone() }
        } else {
            self.connection(now, ends_at)
        };
        Ok(Some(LiveConnection { closed: before.closed.clone(), revision: before.revision, ..begun }))
    }

    /// What a closing makes of what is known of the name; `None` where that stays as it is.
    #[must_use]
    pub fn close(&self, before: Option<&LiveConnection>, now: Timestamp) -> Option<LiveConnection> {
        let key = self.client.key();
        let Some(before) = before else {
            // Its opening may still come. Nobody was admitted, so the stream is not known by it.
            let unseen = LiveConnection { connected_at: None, opened_at: None, ..self.connection(now, now) };
            return Some(unseen.closing(key, self.at).ended(now, EndReason::CLOSED));
        };
        if before.closed.get(&key).is_some_and(|closed| self.at <= *closed) {
            return None;
        }
        let ends = before.is_live(now) && before.is_of(&self.client) && before.opened_at <= Some(self.at);
        let after = before.clone().closing(key, self.at);
        Some(if ends { after.ended(now, EndReason::CLOSED) } else { after })
    }

    fn connection(&self, now: Timestamp, ends_at: Timestamp) -> LiveConnection {
        let Self { stream, name, role, client, at } = self.clone();
        let source = Source::Admission(client);
        LiveConnection {
            connected_at: Some(now),
            opened_at: Some(at),
            ..LiveConnection::begin(stream, name, role, source, now, ends_at)
        }
    }
}

impl LiveConnection {
    /// Whether a webhook of this client brought it.
    fn is_of(&self, client: &Client) -> bool {
        matches!(&self.source, Source::Admission(own) if own == client)
    }

    /// Remembers a closing, and forgets the oldest where there are too many.
    fn closing(mut self, client: String, at: Timestamp) -> Self {
        self.closed.insert(client, at);
        while self.closed.len() > CLOSED_MAX {
            forget_oldest(&mut self.closed);
        }
        self
    }
}

fn forget_oldest(closed: &mut BTreeMap<String, Timestamp>) {
    let oldest = closed.iter().min_by_key(|(_, at)| **at).map(|(client, _)| client.clone());
    closed.retain(|client, _| Some(client) != oldest.as_ref());
}
