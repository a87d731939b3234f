//! Changes of rooms, and the entries about them in the archive.

use super::{Affiliation, Person, RoomRole};
use crate::model::Jid;

/// The change that a transition made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing changed.
    Nothing,
    /// The config changed.
    Configured,
    /// A person joined.
    Joined(Person),
    /// A participant left.
    Left {
        /// The participant's JID.
        jid: Jid,
        /// The new owner, if the owner left.
        successor: Option<Jid>,
    },
    /// A participant has another JID.
    Renamed {
        /// The former JID.
        from: Jid,
        /// The person with the new JID.
        to: Person,
        /// The participant's role.
        role: RoomRole,
    },
    /// The last participant left, and the room ended.
    Ended(Jid),
}

impl Change {
    /// The changed affiliations, in the order of the archive's entries.
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
            // The entry is for the streams of the last participant.
            Self::Ended(jid) => vec![(jid.clone(), Affiliation::None)],
            Self::Left { jid, successor } => {
                let successor = successor.clone().map(|jid| (jid, Affiliation::Owner));
                std::iter::once((jid.clone(), Affiliation::None)).chain(successor).collect()
            }
        }
    }
}
