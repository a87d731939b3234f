//! What kinds of records there are, what they have to be, and why they cannot.

use sha2::{Digest, Sha256};

use crate::{id::hex, store::Key};

/// What is listed.
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
    /// What a list of them is called.
    pub(super) fn list(self) -> &'static str {
        match self {
            Self::User => "USERS",
            Self::Event => "EVENTS",
            Self::Session => "SESSIONS",
            Self::LoginToken => "LOGINTOKENS",
        }
    }

    /// The `Type` of their items, and what their counter is called.
    pub(in crate::store) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Event => "Event",
            Self::Session => "EventSession",
            Self::LoginToken => "LoginToken",
        }
    }
}

/// Whose list a record lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parent {
    /// The user who made another, or owns an event.
    User(u64),
    /// The event that something belongs to.
    Event(u64),
}

impl Parent {
    pub(super) fn id(self) -> u64 {
        match self {
            Self::User(id) | Self::Event(id) => id,
        }
    }
}

/// What no two records share.
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
    /// What the media provider calls a session. It sees to it that no two are called the same; so nothing here does.
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

    /// Whether another record's value is in the way.
    pub(in crate::store) fn is_exclusive(self) -> bool {
        self != Self::ProviderSession
    }

    /// Values are hashed: keys surface in metrics and logs.
    pub(in crate::store) fn key(self, value: &str) -> Key {
        let digest = hex(&Sha256::digest(value.as_bytes()));
        Key { pk: format!("{}#{digest}", self.name()), sk: self.name().to_owned() }
    }
}

/// Why records could not be written as they were to be.
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
    /// The user owns events.
    OwnsEvents,
    /// It was changed in between; a write that may be repeated is.
    Changed,
    /// The user's password is not the one that was to be replaced.
    PasswordChanged,
}
