//! Names of rooms at a LiveKit server (`docs/apis/livekit.md`).

use sha2::{Digest, Sha256};

use crate::{
    id::{MediaSessionId, ProviderSessionId, random_bytes},
    model::live::Stream,
};

/// The characters of the random part of a name: 5 bits each.
const RANDOM: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// The number of random characters in the name of a room that belongs to a session.
const SESSION_LEN: usize = 12;
/// The number of random characters in the name of a network test's room.
const TEST_LEN: usize = 20;

/// The meaning of a room's name. Other applications may have rooms on the same server; their names have no such form.
#[derive(Clone, PartialEq, Eq)]
pub enum RoomName {
    /// The room of an event's session: `e<event>-s<session>-<random>`.
    EventSession {
        /// The event.
        event: u64,
        /// The session.
        session: u64,
    },
    /// The room of a media session: `o-<session>-<random>`.
    MediaSession(MediaSessionId),
    /// The room of a network test: `t-<random>`.
    NetworkTest,
}

crate::opaque!(RoomName);

impl RoomName {
    /// Reads a room's name. `None` if it does not have the form of Greenroom's names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (before, random) = name.rsplit_once('-')?;
        let is_random = |length| random.len() == length && random.bytes().all(|byte| RANDOM.contains(&byte));
        if before == "t" {
            return is_random(TEST_LEN).then_some(Self::NetworkTest);
        }
        if !is_random(SESSION_LEN) {
            return None;
        }
        if let Some(session) = before.strip_prefix("o-") {
            return MediaSessionId::parse(session).map(Self::MediaSession);
        }
        let (event, session) = before.strip_prefix('e')?.split_once("-s")?;
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| number.to_string() == text);
        Some(Self::EventSession { event: number(event)?, session: number(session)? })
    }

    /// A new room of this kind.
    #[must_use]
    pub fn room(&self) -> ProviderSessionId {
        ProviderSessionId::new(match self {
            Self::EventSession { event, session } => format!("e{event}-s{session}-{}", random::<SESSION_LEN>()),
            Self::MediaSession(session) => format!("o-{session}-{}", random::<SESSION_LEN>()),
            Self::NetworkTest => format!("t-{}", random::<TEST_LEN>()),
        })
    }

    /// The room of a media session whose id Greenroom made up. No later session has the id, so the room is made from it
    /// and is known without the session. `None` if the id has another form: a back-end may use its own ids again, each
    /// time for another room.
    #[must_use]
    pub fn room_of_made_up(session: &MediaSessionId) -> Option<ProviderSessionId> {
        let digest = is_made_up(session.as_str()).then(|| Sha256::digest(session.as_str()))?;
        let bytes = std::array::from_fn::<_, SESSION_LEN, _>(|index| digest[index]);
        Some(ProviderSessionId::new(format!("o-{session}-{}", spelt(bytes))))
    }

    /// The stream whose participants are in the room. A network test has none.
    #[must_use]
    pub fn stream(&self) -> Option<Stream> {
        match self {
            Self::EventSession { event, session } => Some(Stream::of_session(*event, *session)),
            Self::MediaSession(session) => Some(Stream::of_media_session(session)),
            Self::NetworkTest => None,
        }
    }
}

/// Whether the id of a media session has the form of those that Greenroom makes up.
fn is_made_up(id: &str) -> bool {
    let random = id.strip_prefix("ses_").unwrap_or_default();
    random.len() == 32 && random.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn random<const LENGTH: usize>() -> String {
    spelt(random_bytes::<LENGTH>())
}

fn spelt<const LENGTH: usize>(bytes: [u8; LENGTH]) -> String {
    bytes.map(|byte| char::from(RANDOM[usize::from(byte % 32)])).iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_room_reads_back_as_what_it_belongs_to() {
        let media = MediaSessionId::parse("a-custom_id-abcdefghijkl").unwrap();
        for name in
            [RoomName::EventSession { event: 7, session: 9 }, RoomName::MediaSession(media), RoomName::NetworkTest]
        {
            let room = name.room();
            assert!(RoomName::parse(room.as_str()) == Some(name.clone()), "{}", room.as_str());
            assert!(room != name.room());
        }
    }

    #[test]
    fn the_room_of_a_made_up_id_is_known_from_the_id() {
        let session = MediaSessionId::random();
        let room = RoomName::room_of_made_up(&session).unwrap();
        assert!(RoomName::parse(room.as_str()) == Some(RoomName::MediaSession(session.clone())));
        assert!(RoomName::room_of_made_up(&session) == Some(room));
        assert!(RoomName::room_of_made_up(&MediaSessionId::parse("daily").unwrap()).is_none());
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "daily",
            "e7-s9",
            "e7-s9-abcdefghijk",
            "e7-s9-abcdefghijklm",
            "e7-s9-abcdefghijk1",
            "e7-s9-ABCDEFGHIJKL",
            "e07-s9-abcdefghijkl",
            "e-7-s9-abcdefghijkl",
            "e7-s-abcdefghijkl",
            "o--abcdefghijkl",
            "o-a b-abcdefghijkl",
            "t-abcdefghijkl",
            "x-abcdefghijklabcdefgh",
            "1_MX40NTgyODA2Mn5-MTc5NTM0NDAwMDAwMH4",
        ] {
            assert!(RoomName::parse(name).is_none(), "{name}");
        }
    }
}
