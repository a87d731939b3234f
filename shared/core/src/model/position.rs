//! Positions: the times up to which a stream has sent a participant's events. The `id` of an event is its position
//! (`docs/apis/mongooseim.md`).

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

/// The first byte of every position. A later version that uses another form has another byte.
const FORM: u8 = 1;
/// The number of bytes of an archive's tag.
const TAG: usize = 8;
/// The largest number of archives in a position. Servers refuse a header that is long enough for more.
const NAMED_MAX: usize = 4096;

/// The tag of an archive in a position: the beginning of a hash, which does not reveal the archive's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchiveTag([u8; TAG]);

impl ArchiveTag {
    /// The tag of the archive of this name.
    #[must_use]
    pub fn of(archive: &str) -> Self {
        let hash: [u8; 32] = Sha256::digest(archive).into();
        let mut tag = [0; TAG];
        tag.copy_from_slice(&hash[..TAG]);
        Self(tag)
    }
}

/// The times up to which the entries of archives have been sent: all archives up to the floor, and some beyond it.
///
/// The floor is so far back that no entry before it is still being written. So a position has only the archives with
/// entries that were sent since, and every process can continue from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    floor: Timestamp,
    beyond: BTreeMap<ArchiveTag, Timestamp>,
}

impl Position {
    /// The position at which all entries up to this time have been sent, and none after it.
    #[must_use]
    pub fn at(floor: Timestamp) -> Self {
        Self { floor, beyond: BTreeMap::new() }
    }

    /// The time up to which the entries of every archive have been sent.
    #[must_use]
    pub fn floor(&self) -> Timestamp {
        self.floor
    }

    /// The time up to which the entries of this archive have been sent.
    #[must_use]
    pub fn of(&self, archive: ArchiveTag) -> Timestamp {
        self.beyond.get(&archive).copied().unwrap_or(self.floor)
    }

    /// Records that the entries of this archive have been sent up to this time.
    pub fn tell(&mut self, archive: ArchiveTag, at: Timestamp) {
        if at > self.of(archive) {
            self.beyond.insert(archive, at);
        }
    }

    /// Records that the entries of every archive have been sent up to this time.
    pub fn raise(&mut self, floor: Timestamp) {
        if floor > self.floor {
            self.floor = floor;
            self.beyond.retain(|_, at| *at > floor);
        }
    }

    /// The position as text for the `id` of an event: letters, digits, hyphens and underscores.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![FORM];
        let floor = millis(self.floor);
        put(&mut bytes, floor);
        for (ArchiveTag(tag), at) in &self.beyond {
            bytes.extend(tag);
            put(&mut bytes, millis(*at).saturating_sub(floor));
        }
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position that this text encodes. `None` if it encodes none.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        let (FORM, mut rest) = bytes.split_first().map(|(form, rest)| (*form, rest))? else { return None };
        let floor = take(&mut rest)?;
        let mut position = Self::at(timestamp(floor)?);
        while !rest.is_empty() && position.beyond.len() < NAMED_MAX {
            let (tag, after) = rest.split_first_chunk::<TAG>()?;
            rest = after;
            let at = floor.checked_add(take(&mut rest)?)?;
            position.tell(ArchiveTag(*tag), timestamp(at)?);
        }
        rest.is_empty().then_some(position)
    }
}

fn millis(at: Timestamp) -> u64 {
    at.millis().try_into().unwrap_or_default()
}

fn timestamp(millis: u64) -> Option<Timestamp> {
    millis.try_into().ok().map(Timestamp::from_millis)
}

/// Adds a number, seven bits a byte, the lowest first; the top bit says that more follow (LEB128).
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(low_bits(number) | 0x80);
        number >>= 7;
    }
    bytes.push(low_bits(number));
}

fn low_bits(number: u64) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// Removes a number from the front, and returns it.
fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use rstest::rstest;

    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn an_archive_that_was_told_of_lately_is_told_further_than_the_others() {
        let (mine, room) = (ArchiveTag::of("ARCHIVE#1"), ArchiveTag::of("ROOMARCHIVE#2"));
        let mut position = Position::at(at(1000));
        position.tell(mine, at(1500));
        position.tell(mine, at(1400));
        assert_eq!((position.of(mine), position.of(room)), (at(1500), at(1000)));
        position.raise(at(1500));
        assert_eq!(position, Position::at(at(1500)));
        position.raise(at(1200));
        assert_eq!(position.of(room), at(1500));
    }

    #[test]
    fn a_position_of_one_archive_is_short() {
        let mut position = Position::at(at(1_700_000_000_000));
        position.tell(ArchiveTag::of("ARCHIVE#1"), at(1_700_000_060_000));
        assert!(position.encode().len() <= 26, "{}", position.encode());
    }

    #[rstest]
    #[case("")]
    #[case("garbage")]
    #[case("42")]
    #[case("AQ")]
    #[case("Aq==")]
    #[case("AICAgICAgICAgIAB")]
    #[case("AQABAgM")]
    #[case("\u{e9}")]
    fn what_was_not_encoded_is_none(#[case] text: &str) {
        assert_eq!(Position::decode(text), None);
    }

    proptest! {
        #[test]
        fn a_position_is_read_as_it_was_written(floor in 0..i64::MAX / 2, archives in vec((any::<[u8; TAG]>(), 0..100_000_i64), 0..50)) {
            let mut position = Position::at(at(floor));
            for (tag, after) in archives {
                position.tell(ArchiveTag(tag), at(floor + after));
            }
            let text = position.encode();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
            prop_assert_eq!(Position::decode(&text), Some(position));
        }

        #[test]
        fn any_bytes_are_a_position_or_none(bytes in vec(any::<u8>(), 0..64)) {
            let text = BASE64_URL_SAFE_NO_PAD.encode([&[FORM], bytes.as_slice()].concat());
            if let Some(position) = Position::decode(&text) {
                prop_assert_eq!(Position::decode(&position.encode()), Some(position));
            }
        }
    }
}
