//! How a media server's webhooks change a connection (`docs/apis/ovenmediaengine.md`).
//!
//! Webhooks come late, twice, out of order or never. They are ordered by the media server's own time, and a closing
//! comes after an opening of the same time. So the same webhooks leave the same connections in any order.

use std::time::Duration;

use super::{
    Client, EndReason, EndedBy, LiveConnection, REMEMBERED, Source, Stream,
    publishers::{AWAITED, Fate, Publishers},
};
use crate::{clock::Timestamp, id::ConnectionName, model::login_token::StreamRole};

/// How long after the end of its lifetime a viewer counts as the same one. The media server takes a moment to
/// disconnect it.
const CUT: Duration = Duration::from_secs(30);

/// A webhook of a media server about one client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The stream.
    pub stream: Stream,
    /// The name of the connection in the stream.
    pub name: ConnectionName,
    /// Whether the client chose the name.
    pub named: bool,
    /// What the client does there. Publishers are admitted and not listed.
    pub role: StreamRole,
    /// The client.
    pub client: Client,
    /// When it happened, by the media server's clock.
    pub at: Timestamp,
}

/// How long an admitted client may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When the client's right ends.
    pub until: Timestamp,
    /// Whether the media server disconnects the client at that time by itself.
    pub cuts: bool,
    /// Whether nobody publishes the stream yet.
    pub waits: bool,
}

impl Terms {
    /// The terms of a client that may stay for `ttl`, or that the media server disconnects after `lifetime`.
    #[must_use]
    pub fn new(now: Timestamp, ttl: Duration, lifetime: Option<Duration>, waits: bool) -> Self {
        let until = now + lifetime.map_or(ttl, |lifetime| lifetime + CUT);
        Self { until, cuts: lifetime.is_some(), waits }
    }

    /// When the connection ends if no further webhook is about it.
    fn ends_at(&self, now: Timestamp) -> Timestamp {
        if self.waits { self.until.min(now + AWAITED) } else { self.until }
    }
}

/// Why a client is not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Its session was terminated, and nobody is admitted under its name for now.
    Held,
    /// Another client has the name.
    Taken,
    /// Its closing has been reported already.
    Closed,
}

impl Webhook {
    /// The name of the connection if this closing has only the address of the viewer's proxy. `None` if it has more, or
    /// if the viewer chose a name.
    #[must_use]
    pub fn proxy_name(&self) -> Option<ConnectionName> {
        self.client.peer_name().filter(|_| self.may_be_of_a_proxy())
    }

    /// Whether it may have only the address of the client's proxy.
    #[must_use]
    pub fn may_be_of_a_proxy(&self) -> bool {
        !self.named && self.client.is_told_by_playlists()
    }

    /// The connection after an opening, made from the present one under the name.
    ///
    /// # Errors
    /// The client is not admitted.
    pub fn open(
        &self,
        before: Option<&LiveConnection>,
        now: Timestamp,
        terms: &Terms,
    ) -> Result<Option<LiveConnection>, Refusal> {
        let Some(before) = before else { return Ok(Some(self.connection(now, terms))) };
        if before.is_held(now) {
            return Err(Refusal::Held);
        }
        // A terminated token is refused as long as its item exists, even after the hold.
        if before.has_token(now) {
            return Err(if before.is_terminated() { Refusal::Held } else { Refusal::Taken });
        }
        let is_live = before.is_live(now);
        if is_live && !before.is_of(&self.client) {
            return Err(Refusal::Taken);
        }
        let terminated = before.barred.is_some_and(|barred| self.at <= barred);
        if terminated || before.spells.is_over(&self.client, self.at) {
            return Err(Refusal::Closed);
        }
        let repeated = is_live && before.spells.has_opening(&self.client, self.at);
        if repeated && before.ends_at >= terms.ends_at(now) {
            return Ok(None);
        }
        Ok(Some(if is_live { self.taken_over(before, now, terms) } else { self.renewed(before, now, terms) }))
    }

    /// The connection after an opening that arrived after its own closing. The opening is recorded, so that the closing
    /// is not taken for that of another opening. `None` if it was recorded already.
    #[must_use]
    pub fn missed(&self, before: &LiveConnection) -> Option<LiveConnection> {
        let terminated = before.barred.is_some_and(|barred| self.at <= barred);
        let mut after = before.clone();
        (!terminated && after.spells.open(&self.client, self.at)).then_some(after)
    }

    /// The connection of a viewer who reloads the page or opens a second player.
    fn taken_over(&self, before: &LiveConnection, now: Timestamp, terms: &Terms) -> LiveConnection {
        let mut after = before.clone();
        after.spells.open(&self.client, self.at);
        if before.opened_at <= Some(self.at) {
            (after.opened_at, after.source) = (Some(self.at), Source::Admission(self.client.clone()));
        }
        let ends_at = before.ends_at.max(terms.ends_at(now));
        after.awaits = before.awaits.filter(|_| terms.waits).map(|until| until.max(terms.until));
        after.cuts = before.cuts && terms.cuts;
        after.ending = None;
        LiveConnection { ends_at, expires_at: ends_at + REMEMBERED, ..after }
    }

    /// A new connection under the name of one that has ended.
    fn renewed(&self, before: &LiveConnection, now: Timestamp, terms: &Terms) -> LiveConnection {
        let mut spells = before.spells.clone();
        // Openings of the connection before ended with it.
        spells.retire();
        spells.open(&self.client, self.at);
        let (barred, revision) = (before.barred, before.revision);
        LiveConnection { spells, barred, revision, ..self.connection(now, terms) }
    }

    /// The connection after a closing. `None` if nothing changes.
    #[must_use]
    pub fn close(&self, before: Option<&LiveConnection>, now: Timestamp) -> Option<LiveConnection> {
        let Some(before) = before else {
            // The opening of this closing may still come.
            let mut unseen = self.unseen(now);
            unseen.spells.close(&self.client, self.at);
            return Some(unseen);
        };
        let mut after = before.clone();
        if !after.spells.close(&self.client, self.at) {
            return None;
        }
        let ends = before.is_live(now) && before.is_closed_by(self) && !after.is_open();
        Some(if ends { after.left(now, EndReason::CLOSED, EndedBy::PARTICIPANT) } else { after })
    }

    /// The connection after its opening was refused. The opening does not count, whether it is in the table already or
    /// is written later. `None` if nothing changes.
    #[must_use]
    pub fn take_back(&self, before: Option<&LiveConnection>, now: Timestamp) -> Option<LiveConnection> {
        let mut after = before.cloned().unwrap_or_else(|| self.unseen(now));
        if !after.spells.withdraw(&self.client, self.at) {
            return None;
        }
        let is_own = before.is_some_and(|before| before.is_live(now) && before.is_of(&self.client));
        if is_own && !after.is_open() {
            if !after.spells.has_openings() {
                (after.opened_at, after.connected_at) = (None, None);
            }
            return Some(after.left(now, EndReason::CLOSED, EndedBy::PROVIDER));
        }
        Some(after)
    }

    fn connection(&self, now: Timestamp, terms: &Terms) -> LiveConnection {
        let Self { stream, name, role, client, at, .. } = self.clone();
        let (source, ends_at) = (Source::Admission(client), terms.ends_at(now));
        let mut connection = LiveConnection {
            connected_at: Some(now),
            opened_at: Some(at),
            awaits: Some(terms.until).filter(|_| terms.waits),
            cuts: terms.cuts,
            ..LiveConnection::begin(stream, name, role, source, now, ends_at)
        };
        connection.spells.open(&self.client, at);
        connection
    }

    /// The ended connection of a client that was not admitted. It is no proof that the stream exists.
    fn unseen(&self, now: Timestamp) -> LiveConnection {
        let Self { stream, name, role, client, .. } = self.clone();
        let unseen = LiveConnection::begin(stream, name, role, Source::Admission(client), now, now);
        unseen.ended(now, EndReason::CLOSED, EndedBy::PARTICIPANT)
    }
}

impl LiveConnection {
    /// Whether this client opened it, or another client at the same address.
    fn is_of(&self, client: &Client) -> bool {
        matches!(&self.source, Source::Admission(own) if own.address == client.address)
    }

    /// Whether this closing can be that of its viewer.
    fn is_closed_by(&self, closing: &Webhook) -> bool {
        let Source::Admission(own) = &self.source else { return false };
        if self.spells.has_openings() {
            return closing.client.is_at(own);
        }
        // The connection is from before openings were recorded.
        own.address == closing.client.address && own.port == closing.client.port && self.opened_at <= Some(closing.at)
    }

    /// Whether its viewer has an opening without a closing, by the webhooks so far.
    fn is_open(&self) -> bool {
        matches!(&self.source, Source::Admission(own) if self.spells.open_since(own).is_some())
    }

    /// The viewer's connection after a change of the stream's publishers. `None` if nothing changes.
    #[must_use]
    pub fn settled(&self, publishers: &Publishers, now: Timestamp) -> Option<Self> {
        let Source::Admission(own) = &self.source else { return None };
        let came = self.spells.open_since(own).or(self.opened_at)?;
        if !self.is_live(now) || self.is_publisher() {
            return None;
        }
        match (publishers.fate(came), self.awaits) {
            (Fate::Leaves, _) => Some(self.clone().left(now, EndReason::PUBLISHER_LEFT, EndedBy::PROVIDER)),
            (Fate::Stays, Some(until)) => {
                Some(Self { awaits: None, ends_at: until, expires_at: until + REMEMBERED, ..self.clone() })
            }
            (Fate::Stays, None) | (Fate::Waits, _) => None,
        }
    }

    /// This connection, ended by a webhook. If a termination was waiting for that, the connection is terminated.
    fn left(mut self, now: Timestamp, reason: EndReason, by: EndedBy) -> Self {
        match self.ending.take() {
            Some(ending) => self.ended(now, EndReason::TERMINATED, ending.who),
            None => self.ended(now, reason, by),
        }
    }
}
