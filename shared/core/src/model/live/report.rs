//! How a LiveKit server's reports change a connection (`docs/apis/livekit.md`).
//!
//! A room has one participant of a name at a time. Each time somebody joins under the name, the participant has another
//! `sid`, and each report is about one of them. Reports come late, twice, out of order or never, so a report about an
//! earlier participant never ends a later one.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{EndReason, LiveConnection, REMEMBERED, SessionProvider, Source};
use crate::{
    clock::Timestamp,
    id::ProviderSessionId,
    model::{RoomName, SessionOrigin},
};

/// How long a participant counts as present after the last report. Reconciling renews it.
const PRESENT: Duration = Duration::from_hours(24);
/// How long after a terminated participant's last attempt to join the name is held at least. The server gives everybody
/// who joins a new token of 10 minutes.
const RETURNS: Duration = Duration::from_mins(15);
/// How long after its end the server still accepts a token.
const LEEWAY: Duration = Duration::from_mins(1);
/// How long a report may be on its way. A list that was read within this time after a report does not contradict it.
const UNSETTLED: Duration = Duration::from_secs(5);
/// The largest number of tracks that are kept for a participant.
const TRACKS_MAX: usize = 16;

/// A participant of a LiveKit room under a connection's name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoomParticipant {
    /// The server's id of the participant, new each time somebody joins.
    pub sid: String,
    /// The server's id of the room. A room that is made again has another.
    pub room_sid: String,
    /// When the participant joined, by the server's clock.
    pub joined_at: Timestamp,
    /// When the participant left, by the server's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// The tracks that were published, by the server's ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tracks: BTreeMap<String, Track>,
}

crate::opaque!(RoomParticipant);

/// The last report about a track.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Track {
    at: Timestamp,
    ended: bool,
}

/// A report about a participant.
#[derive(Clone)]
pub struct Report {
    /// The server's id of the participant.
    pub sid: String,
    /// The server's id of the room.
    pub room_sid: String,
    /// When the participant joined, if the report says so.
    pub joined_at: Option<Timestamp>,
    /// When the report was made, by the server's clock.
    pub at: Timestamp,
    /// What it reports.
    pub reported: Reported,
}

crate::opaque!(Report);

/// What a report says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The participant joined, and media flow.
    Joined,
    /// The participant left.
    Left(EndReason),
    /// An attempt to join failed.
    Aborted(EndReason),
    /// The participant published a track.
    Published(String),
    /// The participant published a track no longer.
    Unpublished(String),
    /// The server's list has the participant, and these tracks that are not muted.
    Present(Vec<String>),
    /// The server's list does not have the participant.
    Missing,
}

impl Reported {
    /// Whether it says that somebody tried to join, or is there.
    #[must_use]
    pub fn is_attempt(&self) -> bool {
        matches!(self, Self::Joined | Self::Aborted(_) | Self::Present(_))
    }

    /// Whether the participant is in the room from the report on.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.is_presence() || matches!(self, Self::Published(_))
    }

    /// Whether it says that somebody is in the room.
    #[must_use]
    pub fn is_presence(&self) -> bool {
        matches!(self, Self::Joined | Self::Present(_))
    }
}

impl RoomParticipant {
    fn of(report: &Report) -> Self {
        let joined_at = report.joined_at.unwrap_or(report.at);
        let (sid, room_sid) = (report.sid.clone(), report.room_sid.clone());
        Self { sid, room_sid, joined_at, left_at: None, tracks: BTreeMap::new() }
    }

    /// The tracks that it publishes now, and since when.
    pub(super) fn published(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let published = self.tracks.iter().filter(move |(_, track)| !track.ended && self.left_at.is_none());
        published.map(|(sid, track)| (sid.as_str(), track.at))
    }

    /// Takes note of a track, unless a later report about it is known.
    fn note_track(&mut self, sid: &str, track: Track) {
        let kept = self.tracks.entry(sid.to_owned()).or_insert(track);
        *kept = track.max(*kept);
        while self.tracks.len() > TRACKS_MAX {
            let oldest = self.tracks.iter().min_by_key(|(_, track)| (!track.ended, track.at));
            let Some(sid) = oldest.map(|(sid, _)| sid.clone()) else { break };
            self.tracks.remove(&sid);
        }
    }

    /// Takes over the tracks of the server's list, which is complete.
    fn list_tracks(&mut self, listed: &[String], at: Timestamp) {
        // Known ones come first, so that a list of more than are kept says the same each time.
        let (known, new): (Vec<_>, Vec<_>) = listed.iter().partition(|sid| self.tracks.contains_key(*sid));
        let listed: Vec<_> = known.into_iter().chain(new).take(TRACKS_MAX).collect();
        for (_, track) in self.tracks.iter_mut().filter(|(sid, _)| !listed.contains(sid)) {
            if !track.ended && track.at + UNSETTLED <= at {
                *track = Track { at, ended: true };
            }
        }
        for sid in listed {
            let is_known = self.tracks.get(sid).is_some_and(|track| !track.ended || at < track.at + UNSETTLED);
            if !is_known {
                self.note_track(sid, Track { at, ended: false });
            }
        }
    }
}

impl LiveConnection {
    /// The media provider's id of the session that its token is for.
    #[must_use]
    pub fn provider_session(&self) -> Option<&ProviderSessionId> {
        match &self.source {
            Source::Event { provider_session: id } | Source::MediaRoom { room: id } => Some(id),
            Source::Media | Source::Admission(_) => None,
        }
    }

    /// The LiveKit room that its token is for. `None` if its token is for another media provider's session.
    #[must_use]
    pub fn room(&self) -> Option<RoomName> {
        RoomName::parse(self.provider_session()?.as_str())
    }

    /// The media provider of the session that its token is for. `None` if the stream belongs to no provider's session.
    #[must_use]
    pub fn provider(&self) -> Option<SessionProvider> {
        Some(match SessionOrigin::of(self.provider_session()?) {
            SessionOrigin::LiveKit => SessionProvider::LiveKit,
            SessionOrigin::Vonage(_) => SessionProvider::Vonage,
            SessionOrigin::OpenTok | SessionOrigin::Unknown => SessionProvider::OpenTok,
        })
    }

    /// Since when its participant has published at least one of the tracks that they publish now; `None` if they publish
    /// none.
    #[must_use]
    pub fn publishing(&self) -> Option<Timestamp> {
        self.participant.as_ref()?.published().map(|(_, at)| at).min()
    }

    /// Until when its name is held at least, if it is terminated now: the server revokes no token.
    pub(super) fn room_hold(&self, now: Timestamp) -> Option<Timestamp> {
        let token = self.token_ends_at.unwrap_or(self.ends_at) + LEEWAY;
        self.room().map(|_| token.max(now + RETURNS))
    }

    /// Whether its participant may still have a token that the server handed out when they joined.
    pub(super) fn has_servers_token(&self, now: Timestamp) -> bool {
        let left = self.participant.as_ref().and_then(|participant| participant.left_at);
        left.is_some_and(|left| now < left + RETURNS)
    }

    /// This connection after a report. `None` if it does not change.
    #[must_use]
    pub fn with_report(&self, report: &Report, now: Timestamp) -> Option<Self> {
        if self.sends_away(now) {
            return report.reported.is_attempt().then(|| self.clone().held_longer(now));
        }
        let after = match &report.reported {
            Reported::Joined => self.joined_room(report, now)?,
            Reported::Present(tracks) => self.present(report, tracks, now)?,
            Reported::Left(reason) => self.left_room(report, reason, now)?,
            Reported::Aborted(reason) => self.aborted(reason, now)?,
            Reported::Published(track) => self.with_track(report, track, false, now)?,
            Reported::Unpublished(track) => self.with_track(report, track, true, now)?,
            Reported::Missing => self.missing(report, now)?,
        };
        (after != *self).then_some(after)
    }

    fn held_longer(mut self, now: Timestamp) -> Self {
        self.held_until = self.held_until.max(Some(now + RETURNS));
        self.kept(now)
    }

    fn joined_room(&self, report: &Report, now: Timestamp) -> Option<Self> {
        let joined_at = report.joined_at.unwrap_or(report.at);
        let participant = match &self.participant {
            // This report was overtaken by that of the end.
            Some(known) if known.sid == report.sid && known.left_at.is_some() => return None,
            Some(known) if known.sid == report.sid => RoomParticipant { joined_at, ..known.clone() },
            Some(known) if joined_at < known.joined_at => return None,
            _ => RoomParticipant::of(report),
        };
        Some(self.clone().connected(participant, now))
    }

    fn present(&self, report: &Report, tracks: &[String], now: Timestamp) -> Option<Self> {
        let joined_at = report.joined_at.unwrap_or(report.at);
        let mut participant = match &self.participant {
            Some(known) if known.sid == report.sid => match known.left_at {
                // The list was read before the participant left.
                Some(left) if report.at < left + UNSETTLED => return None,
                _ => RoomParticipant { left_at: None, joined_at, ..known.clone() },
            },
            Some(known) if joined_at < known.joined_at => return None,
            _ => RoomParticipant::of(report),
        };
        participant.list_tracks(tracks, report.at);
        Some(self.clone().connected(participant, now))
    }

    fn left_room(&self, report: &Report, reason: &EndReason, now: Timestamp) -> Option<Self> {
        let joined_at = report.joined_at.unwrap_or(report.at);
        let participant = match &self.participant {
            Some(known) if known.sid == report.sid && known.left_at.is_some() => return None,
            Some(known) if known.sid == report.sid => {
                RoomParticipant { joined_at: report.joined_at.unwrap_or(known.joined_at), ..known.clone() }
            }
            Some(known) if joined_at <= known.joined_at => return None,
            _ => RoomParticipant::of(report),
        };
        // A participant whose beginning was not reported was there too.
        let connected = self.clone().connected(participant, now);
        Some(connected.departed(report.at, reason.clone(), now))
    }

    fn aborted(&self, reason: &EndReason, now: Timestamp) -> Option<Self> {
        let is_issued = self.is_live(now) && self.connected_at.is_none();
        is_issued.then(|| Self { failed: Some(reason.clone()), ..self.clone() })
    }

    fn with_track(&self, report: &Report, track: &str, ended: bool, now: Timestamp) -> Option<Self> {
        let mut participant = match &self.participant {
            Some(known) if known.sid == report.sid => known.clone(),
            // The report does not say when its participant joined, and may be about an earlier one. The next list says
            // what is published.
            Some(known) if known.left_at.is_none_or(|left| report.at <= left) => return None,
            _ if ended => return None,
            _ => RoomParticipant::of(report),
        };
        participant.note_track(track, Track { at: report.at, ended });
        if participant.left_at.is_some() {
            return None;
        }
        Some(self.clone().connected(participant, now))
    }

    fn missing(&self, report: &Report, now: Timestamp) -> Option<Self> {
        let known = self.participant.as_ref().filter(|known| known.left_at.is_none())?;
        let is_settled = known.joined_at + UNSETTLED <= report.at && self.connected_at? + UNSETTLED <= report.at;
        is_settled.then(|| self.clone().departed(report.at, EndReason::LOST, now))
    }

    /// This connection with a participant who is in the room. It does not end with its token.
    fn connected(mut self, participant: RoomParticipant, now: Timestamp) -> Self {
        let token = self.token_ends_at.unwrap_or(self.ends_at);
        let renewed = self.ended.is_some() || self.token_ends_at.is_none() || self.ends_at < now + PRESENT / 2;
        if renewed {
            self.ends_at = token.max(now + PRESENT);
            self.expires_at = self.ends_at + REMEMBERED;
        }
        let at = participant.joined_at.max(self.created_at).min(now.max(self.created_at));
        (self.connected_at, self.token_ends_at) = (Some(at), Some(token));
        (self.ended, self.failed) = (None, None);
        self.participant = Some(participant);
        self
    }

    /// This connection, after its participant left the room.
    fn departed(mut self, at: Timestamp, reason: EndReason, now: Timestamp) -> Self {
        let came = self.connected_at.unwrap_or(self.created_at);
        if let Some(participant) = &mut self.participant {
            participant.left_at = Some(at);
        }
        let who = reason.of_whom();
        self.ended(at.min(now).max(came), reason, who)
    }
}

#[cfg(test)]
mod tests;
