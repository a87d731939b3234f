//! What a media server's webhooks make of a connection (`docs/apis/ovenmediaengine.md`).
//!
//! They come late, twice, out of order or never. What decides is the time that the media server gives, and a closing
//! wins over an opening of the same time; so whatever order they come in, the same connections are left.

use std::time::Duration;

use super::{
    Client, EndReason, EndedBy, LiveConnection, REMEMBERED, Source, Stream,
    publishers::{AWAITED, Fate, Publishers},
};
use crate::{clock::Timestamp, id::ConnectionName, model::login_token::StreamRole};

/// How long after the end of its lifetime a viewer is still taken for one: the media server takes a moment to cut it.
const CUT: Duration = Duration::from_secs(30);

/// What a webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The stream.
    pub stream: Stream,
    /// The name of the connection in it.
    pub name: ConnectionName,
    /// Whether the client chose the name.
    pub named: bool,
    /// What it does there: publishers are admitted, and not listed.
    pub role: StreamRole,
    /// The client.
    pub client: Client,
    /// When it happened, by the media server's clock.
    pub at: Timestamp,
}

/// How long whoever is let in may stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When their right ends.
    pub until: Timestamp,
    /// Whether the media server cuts them off at that time by itself.
    pub cuts: bool,
    /// Whether nobody publishes their stream yet.
    pub waits: bool,
}

impl Terms {
    /// Those of a client who may stay for `ttl`, or is cut off after `lifetime`.
    #[must_use]
    pub fn new(now: Timestamp, ttl: Duration, lifetime: Option<Duration>, waits: bool) -> Self {
        let until = now + lifetime.map_or(ttl, |lifetime| lifetime + CUT);
        Self { until, cuts: lifetime.is_some(), waits }
    }

    /// When an entry ends that nothing more is told of.
    fn ends_at(&self, now: Timestamp) -> Timestamp {
        if self.waits { self.until.min(now + AWAITED) } else { self.until }
    }
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
    /// What a closing is called that knows only by way of which proxy the viewer came; `None` where it knows more, or is of
    /// a viewer who chose a name.
    #[must_use]
    pub fn proxy_name(&self) -> Option<ConnectionName> {
        self.client.peer_name().filter(|_| self.may_be_of_a_proxy())
    }

    /// Whether what it calls the client may be a proxy only.
    #[must_use]
    pub fn may_be_of_a_proxy(&self) -> bool {
        !self.named && self.client.is_told_by_playlists()
    }

    /// What an opening makes of what is known of the name: a connection, or nothing new.
    ///
    /// # Errors
    /// The client is not let in.
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
        // A token that is terminated stays dead by what is left of it, whatever the hold.
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

    /// What an opening that came after its closing makes of what is known of the name: that closing is of no other;
    /// `None` where that was known.
    #[must_use]
    pub fn missed(&self, before: &LiveConnection) -> Option<LiveConnection> {
        let terminated = before.barred.is_some_and(|barred| self.at <= barred);
        let mut after = before.clone();
        (!terminated && after.spells.open(&self.client, self.at)).then_some(after)
    }

    /// A live connection whose viewer has come again, or has a second player.
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

    /// A connection under a name that another had before.
    fn renewed(&self, before: &LiveConnection, now: Timestamp, terms: &Terms) -> LiveConnection {
        let mut spells = before.spells.clone();
        // What was open when the one before ended is over.
        spells.retire();
        spells.open(&self.client, self.at);
        let (barred, revision) = (before.barred, before.revision);
        LiveConnection { spells, barred, revision, ..self.connection(now, terms) }
    }

    /// What a closing makes of what is known of the name; `None` where that stays as it is.
    #[must_use]
    pub fn close(&self, before: Option<&LiveConnection>, now: Timestamp) -> Option<LiveConnection> {
        let Some(before) = before else {
            // Its opening may still come.
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

    /// What is left where an opening was refused after it may have been written down: nothing of it, also where it is
    /// written down later; `None` where that is so already.
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

    /// What is left of somebody who was not let in: the stream is not known by it.
    fn unseen(&self, now: Timestamp) -> LiveConnection {
        let Self { stream, name, role, client, .. } = self.clone();
        let unseen = LiveConnection::begin(stream, name, role, Source::Admission(client), now, now);
        unseen.ended(now, EndReason::CLOSED, EndedBy::PARTICIPANT)
    }
}

impl LiveConnection {
    /// Whether a webhook of this client brought it, or of another at its address.
    fn is_of(&self, client: &Client) -> bool {
        matches!(&self.source, Source::Admission(own) if own.address == client.address)
    }

    /// Whether a closing can be its own.
    fn is_closed_by(&self, closing: &Webhook) -> bool {
        let Source::Admission(own) = &self.source else { return false };
        if self.spells.has_openings() {
            return closing.client.is_at(own);
        }
        // It was admitted before it was kept what opened it.
        own.address == closing.client.address && own.port == closing.client.port && self.opened_at <= Some(closing.at)
    }

    /// Whether its viewer has something open, by what the media server has told.
    fn is_open(&self) -> bool {
        matches!(&self.source, Source::Admission(own) if self.spells.open_since(own).is_some())
    }

    /// What the publishers of its stream make of a media server's viewer; `None` where it stays as it is.
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

    /// This connection, over for what a media server told. One that is being terminated has ended so.
    fn left(mut self, now: Timestamp, reason: EndReason, by: EndedBy) -> Self {
        match self.ending.take() {
            Some(ending) => self.ended(now, EndReason::TERMINATED, ending.who),
            None => self.ended(now, reason, by),
        }
    }
}
