//! Ids, with a type for each kind, so that no two can be swapped. No `Debug` prints an id.
//!
//! Every id and token that Greenroom makes carries 128 bits from the operating system's generator.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;

mod key;
mod random;

pub use self::key::DeviceKey;
use self::random::random_uuid;
pub use self::random::{hex, random_bytes, random_code, random_hex};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident = $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, example = $example)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

id!(
    /// A session of a device, from its registration to its end. The device's token names it.
    DeviceSessionId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A device: the keyed hash of its identifier. The table's keys have it in place of the identifier.
    DeviceId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A media session: `ses_…`, or the custom id its back-end chose.
    MediaSessionId = "ses_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// One participant's right to be in one media stream.
    ConnectionId = "con_0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A booking. Its mail carries the id, so that a second mail is recognised.
    BookingId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A connection in the list of live sessions: a UUID of Greenroom's, or a name that a media server's client chose.
    ConnectionName = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11"
);
id!(
    /// A message of a conversation: a UUID.
    MessageId = "8c1e6f0a-2b7d-4c35-9f10-5d3e8a7b6c42"
);
id!(
    /// A room: a UUID of Greenroom's, or the id that its maker chose.
    RoomId = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21"
);
id!(
    /// A room's JID.
    RoomJid = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21@muclight.localhost"
);
id!(
    /// The archive of a room. Each room that has had the same id has another.
    ArchiveId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A job.
    JobId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// A callback of the media provider, by a hash (`docs/apis/access.md`).
    CallbackId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// The media provider's id of a session (`docs/apis/opentok.md`).
    ProviderSessionId = "2_MX40NTgyODA2Mn5-MTc5NTM0NDAwMDAwMH4"
);

impl CallbackId {
    /// The id of a callback, made from its sender's name for it.
    #[must_use]
    pub fn of_sender(name: &str) -> Self {
        Self::made_of("sender", name.as_bytes())
    }

    /// The id of a callback without a name, made from its body.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        Self::made_of("body", body)
    }

    fn made_of(kind: &str, bytes: &[u8]) -> Self {
        Self(hex(&Sha256::new().chain_update(kind).chain_update([0]).chain_update(bytes).finalize()))
    }
}

impl ConnectionName {
    /// A new name.
    #[must_use]
    pub fn random() -> Self {
        Self(random_uuid())
    }

    /// The name with this text. `None` if no connection can have such a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (1..=CONNECTION_NAME_MAX).contains(&name.len()).then(|| Self(name.to_owned()))
    }

    /// The name with this text, if it has the form of the names that Greenroom makes: a UUID, or the id of a media
    /// session's connection.
    #[must_use]
    pub fn made_by_greenroom(name: &str) -> Option<Self> {
        let is_uuid = uuid::Uuid::try_parse(name).is_ok_and(|uuid| uuid.to_string() == name);
        (is_uuid || ConnectionId::parse(name).is_some()).then(|| Self(name.to_owned()))
    }

    /// The name that is made from a digest. The same digest always gives the same UUID.
    #[must_use]
    pub fn made_of(digest: &[u8; 32]) -> Self {
        let bytes = std::array::from_fn(|index| digest[index]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string())
    }
}

impl MessageId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_uuid())
    }
}

impl RoomId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_hex())
    }

    /// An id from a text that has been checked.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }

    /// The JID of the room on this host.
    #[must_use]
    pub fn at(&self, host: &str) -> RoomJid {
        RoomJid(format!("{}@{host}", self.0))
    }
}

impl ArchiveId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_hex())
    }
}

impl From<&ConnectionId> for ConnectionName {
    /// A media session's connection is listed by its id.
    fn from(id: &ConnectionId) -> Self {
        Self(id.0.clone())
    }
}

/// The longest name of a connection, in bytes.
pub const CONNECTION_NAME_MAX: usize = 512;

impl DeviceSessionId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("dev_{}", random_hex()))
    }

    /// The id with this text. `None` if no device session can have such an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        id.starts_with("dev_").then(|| Self(id.to_owned()))
    }
}

impl DeviceId {
    /// The id of the device with this identifier.
    #[must_use]
    pub fn of(identifier: &str, key: &DeviceKey) -> Self {
        Self(hex(&key.hash(identifier)))
    }
}

/// The longest id that a back-end may choose. With a connection's id behind it, it still fits into a sort key.
pub const CUSTOM_ID_MAX: usize = 255;

impl MediaSessionId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("ses_{}", random_hex()))
    }

    /// The id with this text. `None` if no session can have such an id (`docs/apis/openvidu.md`: `[a-zA-Z0-9_-]+`).
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=CUSTOM_ID_MAX).contains(&id.len());
        (fits && id.bytes().all(valid)).then(|| Self(id.to_owned()))
    }
}

impl ConnectionId {
    /// A new id for a connection whose token ends at `end`.
    ///
    /// The end comes first in the id, so the connections of a session lie in the order of their ends. The last one is
    /// found without reading the others.
    #[must_use]
    pub fn ending_at(end: Timestamp) -> Self {
        Self(format!("con_{:010x}{}", end.seconds(), random_hex()))
    }

    /// The id with this text. `None` if no connection can have such an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let (kind, rest) = id.split_once('_')?;
        let valid = kind == "con" && rest.len() == 42 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(id.to_owned()))
    }
}

impl ProviderSessionId {
    /// The id that the provider gave.
    #[must_use]
    pub fn new(id: String) -> Self {
        Self(id)
    }
}

impl JobId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_hex())
    }
}

impl BookingId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("book_{}", random_hex()))
    }

    /// The id with this text. `None` if no booking can have such an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let random = id.strip_prefix("book_")?;
        let valid = random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(id.to_owned()))
    }
}

/// The id of a request, in logs and answers.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

impl RequestId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(random_hex())
    }
}

#[cfg(test)]
mod tests;
