//! The kinds of records, their unique values, and the conflicts of their writes.

use greenroom_core::id::hex;
use sha2::{Digest, Sha256};

use crate::{Key, write::Write};

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Users.
    User,
    /// Events.
    Event,
    /// Event sessions.
    Session,
    /// Login tokens.
    LoginToken,
}

impl Kind {
    /// The name of their lists in keys.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::User => "USERS",
            Self::Event => "EVENTS",
            Self::Session => "SESSIONS",
            Self::LoginToken => "LOGINTOKENS",
        }
    }

    /// The `Type` of their items, and the name of their sequence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Event => "Event",
            Self::Session => "EventSession",
            Self::LoginToken => "LoginToken",
        }
    }
}

/// The owner of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parent {
    /// A user, who made other users or owns events.
    User(u64),
    /// An event.
    Event(u64),
}

impl Parent {
    pub(super) fn id(self) -> u64 {
        match self {
            Self::User(id) | Self::Event(id) => id,
        }
    }
}

/// The values that no two records share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unique {
    /// A user's name, without regard to case.
    Username,
    /// An event's name.
    EventName,
    /// A login token.
    LoginToken,
    /// The floor of an event.
    Floor,
    /// The provider's id of a session. The provider keeps these unique, so no condition does.
    ProviderSession,
}

impl Unique {
    fn name(self) -> &'static str {
        match self {
            Self::Username => "USERNAME",
            Self::EventName => "EVENTNAME",
            Self::LoginToken => "LOGINTOKEN",
            Self::Floor => "FLOOR",
            Self::ProviderSession => "PROVIDERSESSION",
        }
    }

    /// Whether a write fails if another record has the same value.
    pub(crate) fn is_exclusive(self) -> bool {
        self != Self::ProviderSession
    }

    /// The key of a value. Values are hashed, because keys surface in metrics and logs.
    pub(crate) fn key(self, value: &str) -> Key {
        let digest = hex(&Sha256::digest(value.as_bytes()));
        Key { pk: format!("{}#{digest}", self.name()), sk: self.name().to_owned() }
    }
}

/// Why records could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The record is gone.
    Gone,
    /// Another record has this value.
    Taken(Unique),
    /// There is no such parent for a record of this kind.
    NoParent(Kind, u64),
    /// There is no such user, or they manage as many events as one may.
    NoManager(u64),
    /// The user owns events, so they cannot be deleted.
    OwnsEvents,
    /// The record was changed in between. A write that may be repeated is.
    Changed,
    /// The user's password is not the one that was to be replaced.
    PasswordChanged,
}

/// A write of a transaction, and the meaning of its failed condition.
#[derive(Clone)]
pub(crate) struct RecordWrite {
    pub(super) write: Write,
    pub(super) fails_as: Conflict,
}

impl Write {
    /// The write with the meaning of its failed condition.
    pub(crate) fn fails_as(self, conflict: Conflict) -> RecordWrite {
        RecordWrite { write: self, fails_as: conflict }
    }
}
