//! One type per kind of id, so that no two can be swapped; none of them shows itself in a `Debug` print.
//!
//! Every id and token we make carries 128 bits from the operating system's generator.

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
    /// One life of a device's registration: what its token names.
    DeviceSessionId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// The keyed hash of a device's identifier; what stands for the identifier in a key of the table.
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
    /// A booking; what its mail is recognised by.
    BookingId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// What the list of live sessions calls a connection: a UUID of ours, or what a media server's client chose.
    ConnectionName = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11"
);
id!(
    /// A message of a conversation: a UUID.
    MessageId = "8c1e6f0a-2b7d-4c35-9f10-5d3e8a7b6c42"
);
id!(
    /// A room: an id of ours, or the one that whoever made it chose.
    RoomId = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21"
);
id!(
    /// What a room is called among JIDs.
    RoomJid = "f2a1c4de-8b63-4b0f-a5f9-3c7d6e5b4a21@muclight.localhost"
);
id!(
    /// The archive of one life of a room.
    ArchiveId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// Something that is still to be done.
    JobId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// What a callback of the media provider's is recognised by, a hash (`docs/apis/access.md`).
    CallbackId = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
);
id!(
    /// What the media provider calls a session (`docs/apis/opentok.md`).
    ProviderSessionId = "2_MX40NTgyODA2Mn5-MTc5NTM0NDAwMDAwMH4"
);

impl CallbackId {
    /// The id of the callback that its sender calls this.
    #[must_use]
    pub fn of_sender(name: &str) -> Self {
        Self::made_of("sender", name.as_bytes())
    }

    /// The id of a callback with this body, whose sender calls it nothing.
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

    /// The name spelt like this; `None` where no connection can have such a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (1..=CONNECTION_NAME_MAX).contains(&name.len()).then(|| Self(name.to_owned()))
    }

    /// The name that is made of a digest: always the same UUID.
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

    /// The id that was found to be spelt like this.
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

/// Longest name of a connection, in bytes.
pub const CONNECTION_NAME_MAX: usize = 512;

impl DeviceSessionId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("dev_{}", random_hex()))
    }

    /// The id spelt like this; `None` where no device session can have such an id.
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

/// Longest id a back-end may choose; with a connection's id behind it, it still fits into a sort key.
pub const CUSTOM_ID_MAX: usize = 255;

impl MediaSessionId {
    /// A new id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("ses_{}", random_hex()))
    }

    /// The id spelt like this; `None` where no session can have such an id (`docs/apis/openvidu.md`: `[a-zA-Z0-9_-]+`).
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let valid = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fits = (1..=CUSTOM_ID_MAX).contains(&id.len());
        (fits && id.bytes().all(valid)).then(|| Self(id.to_owned()))
    }
}

impl ConnectionId {
    /// A new id of a connection whose token ends at `end`.
    ///
    /// The end leads, so that a session's connections lie in the order of their ends, and the last of them is found
    /// without reading the others.
    #[must_use]
    pub fn ending_at(end: Timestamp) -> Self {
        Self(format!("con_{:010x}{}", end.seconds(), random_hex()))
    }

    /// The id spelt like this; `None` where no connection can have such an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let (kind, rest) = id.split_once('_')?;
        let valid = kind == "con" && rest.len() == 42 && rest.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(id.to_owned()))
    }
}

impl ProviderSessionId {
    /// The id that the provider spelt like this.
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

    /// The id spelt like this; `None` where no booking can have such an id.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let random = id.strip_prefix("book_")?;
        let valid = random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit());
        valid.then(|| Self(id.to_owned()))
    }
}

/// Tells two requests apart in logs and answers.
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
