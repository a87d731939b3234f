//! The body of a webhook, as LiveKit writes it: in camel case. Protocol Buffers allow snake case too, which its API has.

use greenroom_core::{
    clock::Timestamp,
    id::{CallbackId, ProviderSessionId},
    model::live::{EndReason, Report, Reported},
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use utoipa::ToSchema;

/// The longest id of the server that is kept, in bytes.
const ID_MAX: usize = 128;

/// The longest name of a room that is read, in bytes. Greenroom makes none that is longer.
const NAME_MAX: usize = 384;

/// An event of a room. Other fields are ignored, and so are other events.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveKitEvent)]
pub(crate) struct Webhook {
    /// The event.
    #[schema(example = "participant_joined")]
    event: String,
    /// The id of the webhook. One that comes again within ten minutes is ignored.
    #[serde(default)]
    #[schema(example = "EV_HzLeCgN2PHUN")]
    id: String,
    /// When it happened, in seconds since the Unix epoch.
    #[serde(default, alias = "created_at", deserialize_with = "number")]
    #[schema(value_type = String, example = "1795901930")]
    created_at: i64,
    /// The room.
    #[serde(default)]
    room: Room,
    /// The participant, if the event is about one.
    participant: Option<Participant>,
    /// The track, if the event is about one.
    track: Option<Track>,
}

/// A room.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default)]
#[schema(as = LiveKitEventRoom)]
struct Room {
    /// The server's id of the room.
    #[schema(example = "RM_VqYDXTnKQTvi")]
    sid: String,
    /// The name of the room.
    #[schema(example = "e7-s9-abcdefghijkl")]
    name: String,
}

/// A participant.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LiveKitEventParticipant)]
struct Participant {
    /// The server's id of the participant.
    #[schema(example = "PA_bTyt9eN2GSrv")]
    sid: String,
    /// The participant's identity, which is the connection's name in the list of live sessions.
    #[schema(example = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11")]
    identity: String,
    /// When the participant joined, in milliseconds since the Unix epoch.
    #[serde(default, alias = "joined_at_ms", deserialize_with = "number")]
    #[schema(value_type = Option<String>, example = "1795901930782")]
    joined_at_ms: i64,
    /// When the participant joined, in seconds since the Unix epoch.
    #[serde(default, alias = "joined_at", deserialize_with = "number")]
    #[schema(value_type = Option<String>, example = "1795901930")]
    joined_at: i64,
    /// Why the participant left.
    #[serde(default, alias = "disconnect_reason")]
    #[schema(value_type = Option<String>, example = "CLIENT_INITIATED")]
    disconnect_reason: String,
}

/// A track.
#[derive(Deserialize, ToSchema)]
#[schema(as = LiveKitEventTrack)]
struct Track {
    /// The server's id of the track.
    #[schema(example = "TR_AMQNzVMTWGgkDw")]
    sid: String,
}

/// Reads a 64-bit number, which the server writes as a text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().unwrap_or_default(),
        Value::Number(number) => number.as_i64().unwrap_or_default(),
        _ => 0,
    })
}

/// What a webhook tells of a room.
pub(crate) enum Told<'a> {
    /// The room was opened. The server's id of it.
    Opened(&'a str),
    /// The room was closed. The server's id of it, and the report for those who were in it.
    Closed(&'a str, Report),
    /// Something happened to the participant with this identity.
    Participant(&'a str, Report),
}

impl Webhook {
    /// The id under which the webhook is recorded.
    pub(crate) fn callback(&self, body: &[u8]) -> CallbackId {
        match self.id.as_str() {
            "" => CallbackId::of_body(body),
            id => CallbackId::of_sender(&format!("livekit/{id}")),
        }
    }

    /// What it tells of which room. `None` if the event is another, or lacks what it needs.
    pub(crate) fn told(&self, now: Timestamp) -> Option<(ProviderSessionId, Told<'_>)> {
        let room = &self.room;
        if [&room.sid, &room.name].iter().any(|id| id.is_empty() || id.len() > NAME_MAX) {
            return None;
        }
        let told = match self.event.as_str() {
            "room_started" => Told::Opened(&room.sid),
            "room_finished" => {
                Told::Closed(&room.sid, self.report(String::new(), None, Reported::Left(EndReason::SESSION_ENDED), now))
            }
            _ => {
                let participant = self.participant.as_ref()?;
                let is_id = |id: &str| (1..=ID_MAX).contains(&id.len());
                let track = self.track.as_ref().map(|track| track.sid.clone()).filter(|sid| is_id(sid));
                let reported = reported(&self.event, participant, track)?;
                let report = self.report(participant.sid.clone(), participant.joined_at(), reported, now);
                Told::Participant(&participant.identity, is_id(&report.sid).then_some(report)?)
            }
        };
        Some((ProviderSessionId::new(room.name.clone()), told))
    }

    fn report(&self, sid: String, joined_at: Option<Timestamp>, reported: Reported, now: Timestamp) -> Report {
        let at = if self.created_at > 0 { Timestamp::from_seconds(self.created_at) } else { now };
        Report { sid, room_sid: self.room.sid.clone(), joined_at, at, reported }
    }
}

impl Participant {
    fn joined_at(&self) -> Option<Timestamp> {
        match (self.joined_at_ms, self.joined_at) {
            (0, 0) => None,
            (0, seconds) => Some(Timestamp::from_seconds(seconds)),
            (millis, _) => Some(Timestamp::from_millis(millis)),
        }
    }
}

/// What an event reports of a participant; `None` if it is of no use.
fn reported(event: &str, participant: &Participant, track: Option<String>) -> Option<Reported> {
    let reason = || EndReason::of_livekit(&participant.disconnect_reason);
    match event {
        "participant_joined" => Some(Reported::Joined),
        "participant_left" => Some(Reported::Left(reason())),
        "participant_connection_aborted" => Some(Reported::Aborted(reason())),
        "track_published" => track.map(Reported::Published),
        "track_unpublished" => track.map(Reported::Unpublished),
        _ => None,
    }
}
