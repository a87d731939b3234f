//! Messages from one participant to another (`docs/apis/mongooseim.md`).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Jid;
use crate::{clock::Timestamp, id::MessageId};

/// The longest body of a message, in bytes. XMPP servers usually accept stanzas of this size.
pub const BODY_MAX: usize = 65_536;

/// A message, as the archives of both participants store it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Message)]
pub struct Message {
    /// The sender.
    pub from: Jid,
    /// The receiver.
    pub to: Jid,
    /// Its id, the same in both archives.
    pub id: MessageId,
    /// Any text.
    #[schema(max_length = 65_536, example = "Hello Alice!")]
    pub body: String,
    /// When it was sent, in milliseconds since the Unix epoch. No other message of the archive has the same time.
    pub timestamp: Timestamp,
}

crate::opaque!(Message);
