//! The times in which clients had something open, computed from reports in any order (`docs/apis/ovenmediaengine.md`).
//!
//! Webhooks come late, twice, out of order or never. So every reported opening and closing is kept, by the media
//! server's clock, and each change computes from them what is open. The same reports give the same result in any order.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::client::{Client, Telling};
use crate::clock::Timestamp;

/// The largest number of openings that are kept for one slot; the same for closings, and for withdrawn openings.
const TIMES_MAX: usize = 16;
/// The largest number of slots that are kept for one name. A slot is one thing that a client can have open.
const SLOTS_MAX: usize = 16;
/// The separator between a slot and an address.
const AT: char = '@';

/// The reports of one slot at one address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Times {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    opened: BTreeSet<Timestamp>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    closed: BTreeSet<Timestamp>,
    /// Openings that were refused. They may have been written before.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    withdrawn: BTreeSet<Timestamp>,
}

/// The reports under a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spells(BTreeMap<String, Times>);

/// A time in which something is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
}

impl Spells {
    /// Whether there are no reports.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether something was opened.
    #[must_use]
    pub fn has_openings(&self) -> bool {
        self.0.values().any(|times| times.opened.difference(&times.withdrawn).next().is_some())
    }

    /// Records an opening. Returns `false` if it was recorded before.
    pub(super) fn open(&mut self, client: &Client, at: Timestamp) -> bool {
        self.note(client, |times| &mut times.opened, at)
    }

    /// Records a closing. Returns `false` if it was recorded before.
    pub(super) fn close(&mut self, client: &Client, at: Timestamp) -> bool {
        self.note(client, |times| &mut times.closed, at)
    }

    /// Records that an opening does not count, even if it is reported later. Returns `false` if that was recorded
    /// before.
    pub(super) fn withdraw(&mut self, client: &Client, at: Timestamp) -> bool {
        self.note(client, |times| &mut times.withdrawn, at)
    }

    fn note(&mut self, client: &Client, which: fn(&mut Times) -> &mut BTreeSet<Timestamp>, at: Timestamp) -> bool {
        let set = which(self.0.entry(key(&client.slot(), &client.address)).or_default());
        let is_new = set.insert(at);
        if set.len() > TIMES_MAX {
            set.pop_first();
        }
        while self.0.len() > SLOTS_MAX {
            self.forget_one();
        }
        is_new
    }

    /// Drops the slot whose last report is the oldest. Prefers slots with nothing open.
    fn forget_one(&mut self) {
        let oldest = self.0.iter().min_by_key(|(key, times)| (times.is_open(key), times.last()));
        if let Some(key) = oldest.map(|(key, _)| key.clone()) {
            self.0.remove(&key);
        }
    }

    /// Whether an opening of this client was reported.
    pub(super) fn has_opening(&self, client: &Client, at: Timestamp) -> bool {
        self.0.get(&key(&client.slot(), &client.address)).is_some_and(|times| times.opened.contains(&at))
    }

    /// Whether an opening of this client is over: it was withdrawn, or with it no more is open than without it. The
    /// reports do not say which of several openings a closing belongs to, only how many are left.
    pub(super) fn is_over(&self, client: &Client, at: Timestamp) -> bool {
        let (slot, times) = (client.slot(), self.0.get(&key(&client.slot(), &client.address)));
        if times.is_some_and(|times| times.withdrawn.contains(&at)) {
            return true;
        }
        let open = |spells: &Self| spells.spells(client, &slot).iter().filter(|spell| spell.to.is_none()).count();
        let mut with = self.clone();
        if !with.open(client, at) {
            return open(self) == 0;
        }
        // Both sides have only the reports that are kept with the opening, so that they differ in it alone.
        let mut without = with.clone();
        if let Some(times) = without.0.get_mut(&key(&slot, &client.address)) {
            times.opened.remove(&at);
        }
        open(&with) <= open(&without)
    }

    /// The time of the last opening.
    pub(super) fn last_opening(&self) -> Option<Timestamp> {
        self.0.values().filter_map(|times| times.opened.last()).max().copied()
    }

    /// Withdraws all openings that have no closing.
    pub(super) fn retire(&mut self) {
        for (key, times) in &mut self.0 {
            let open = times.spells(slot_of(key), &times.closed).into_iter().filter(|spell| spell.to.is_none());
            let open: Vec<_> = open.map(|spell| spell.from).collect();
            times.withdrawn.extend(open);
            while times.withdrawn.len() > TIMES_MAX {
                times.withdrawn.pop_first();
            }
        }
    }

    /// The time of the last opening of a client that has no closing. `None` if the client has nothing open.
    pub(super) fn open_since(&self, client: &Client) -> Option<Timestamp> {
        let slots = self.0.keys().filter_map(|key| key.rsplit_once(AT)).filter(|(_, at)| *at == client.address);
        let spells = slots.flat_map(|(slot, _)| self.spells(client, slot));
        spells.filter(|spell| spell.to.is_none()).map(|spell| spell.from).max()
    }

    /// The times in which a client has a slot open. Closings that have only the address of the client's proxy count
    /// too.
    fn spells(&self, client: &Client, slot: &str) -> Vec<Spell> {
        let Some(own) = self.0.get(&key(slot, &client.address)) else { return Vec::new() };
        let peer = client.peer.as_ref().and_then(|peer| self.0.get(&key(slot, peer)));
        let closed: BTreeSet<_> =
            own.closed.iter().chain(peer.into_iter().flat_map(|peer| &peer.closed)).copied().collect();
        own.spells(slot, &closed)
    }

    /// The times in which anything is open. Each ends with the next opening at the latest.
    pub(super) fn eras(&self) -> Vec<Spell> {
        let all = self.0.iter().flat_map(|(key, times)| times.spells(slot_of(key), &times.closed));
        let mut eras: Vec<_> = all.collect();
        eras.sort_by_key(|era| era.from);
        let starts: Vec<_> = eras.iter().map(|era| era.from).collect();
        for era in &mut eras {
            let next = starts.iter().copied().find(|start| *start > era.from);
            era.to = match (era.to, next) {
                (Some(to), Some(next)) => Some(to.min(next)),
                (to, next) => to.or(next),
            };
        }
        eras
    }
}

impl Times {
    /// The times in which a slot is open. A closing ends the first of several openings, and comes after an opening of
    /// the same time.
    fn spells(&self, slot: &str, closed: &BTreeSet<Timestamp>) -> Vec<Spell> {
        let opened = self.opened.difference(&self.withdrawn).map(|at| (*at, true));
        let mut told: Vec<_> = opened.chain(closed.iter().map(|at| (*at, false))).collect();
        told.sort_by_key(|(at, opens)| (*at, !opens));
        let one_closing = Telling::of(slot.split(':').next().unwrap_or(slot)) == Telling::Playlists;
        let (mut spells, mut first_open) = (Vec::<Spell>::new(), 0);
        for (at, opens) in told {
            if opens {
                spells.push(Spell { from: at, to: None });
            } else if first_open < spells.len() {
                let until = if one_closing { spells.len() } else { first_open + 1 };
                spells[first_open..until].iter_mut().for_each(|spell| spell.to = Some(at));
                first_open = until;
            }
        }
        spells
    }

    fn is_open(&self, key: &str) -> bool {
        self.spells(slot_of(key), &self.closed).iter().any(|spell| spell.to.is_none())
    }

    fn last(&self) -> Option<Timestamp> {
        [&self.opened, &self.closed, &self.withdrawn].into_iter().filter_map(|times| times.last()).max().copied()
    }
}

fn key(slot: &str, address: &str) -> String {
    format!("{slot}{AT}{address}")
}

fn slot_of(key: &str) -> &str {
    key.rsplit_once(AT).map_or(key, |(slot, _)| slot)
}
