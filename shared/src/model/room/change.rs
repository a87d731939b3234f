//! What a transition of a room did, and what its archive says of it.

use super::{Affiliation, Person, RoomRole};
use crate::model::Jid;

/// What a transition did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: it was so before.
    Nothing,
    /// Its config is another.
    Configured,
    /// Somebody joined.
    Joined(Person),
    /// Somebody left.
    Left {
        /// Who.
        jid: Jid,
        /// Who is owner in their place, where they were.
        successor: Option<Jid>,
    },
    /// Somebody goes on under another JID.
    Renamed {
        /// The JID that they had.
        from: Jid,
        /// Who they are now.
        to: Person,
        /// What they are.
        role: RoomRole,
    },
    /// The last one left, and with them the room ended.
    Ended(Jid),
}

impl Change {
    /// Whose affiliation is another now, in the order in which the archive says so.
    #[must_use]
    pub fn affiliations(&self) -> Vec<(Jid, Affiliation)> {
        match self {
            Self::Nothing | Self::Configured => Vec::new(),
            Self::Joined(person) => vec![(person.jid.clone(), Affiliation::Member)],
            Self::Renamed { from, to, role } => {
                let affiliation = match role {
                    RoomRole::Owner => Affiliation::Owner,
                    RoomRole::Member => Affiliation::Member,
                };
                vec![(from.clone(), Affiliation::None), (to.jid.clone(), affiliation)]
            }
            // Their streams are told of it.
            Self::Ended(jid) => vec![(jid.clone(), Affiliation::None)],
            Self::Left { jid, successor } => {
                let successor = successor.clone().map(|jid| (jid, Affiliation::Owner));
                std::iter::once((jid.clone(), Affiliation::None)).chain(successor).collect()
            }
        }
    }
}
