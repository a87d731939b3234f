//! Contacts: the people in a participant's roster (`docs/apis/mongooseim.md`, RFC 6121).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Jid;

/// Who is told when the other comes and goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ContactSubscription)]
pub enum Subscription {
    /// Nobody.
    None,
    /// The owner of the roster.
    To,
    /// The contact.
    From,
    /// Both of them.
    Both,
}

/// Who has asked to be told, and has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ContactAsk)]
pub enum Ask {
    /// Nobody.
    None,
    /// The owner of the roster.
    Out,
    /// The contact.
    In,
    /// Both of them.
    Both,
}

/// The state of one direction between two participants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Nobody has asked.
    #[default]
    Closed,
    /// One of them has asked, and the other has not agreed.
    Asked,
    /// The other has agreed.
    Open,
}

/// A contact in somebody's roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The contact's JID.
    pub jid: Jid,
    /// Whether the owner of the roster is told of the contact.
    #[serde(default)]
    pub to: Direction,
    /// Whether the contact is told of the owner.
    #[serde(default)]
    pub from: Direction,
}

/// Both sides of a relation between two participants. A side is `None` if the other is not in that roster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// The contact, in the roster of the acting participant.
    pub mine: Option<Contact>,
    /// The acting participant, in the roster of the contact.
    pub theirs: Option<Contact>,
}

/// The contact is not in the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in the roster")]
pub struct NotInRoster;

impl Contact {
    /// A contact with whom nothing is agreed yet.
    #[must_use]
    pub fn new(jid: Jid) -> Self {
        Self { jid, to: Direction::Closed, from: Direction::Closed }
    }

    /// The agreed directions.
    #[must_use]
    pub fn subscription(&self) -> Subscription {
        match (self.to == Direction::Open, self.from == Direction::Open) {
            (true, true) => Subscription::Both,
            (true, false) => Subscription::To,
            (false, true) => Subscription::From,
            (false, false) => Subscription::None,
        }
    }

    /// The directions that are asked for.
    #[must_use]
    pub fn ask(&self) -> Ask {
        match (self.to == Direction::Asked, self.from == Direction::Asked) {
            (true, true) => Ask::Both,
            (true, false) => Ask::Out,
            (false, true) => Ask::In,
            (false, false) => Ask::None,
        }
    }
}

impl Relation {
    /// Adds the contact to the roster, if it is not there.
    pub fn add(&mut self, contact: Jid) {
        self.mine.get_or_insert_with(|| Contact::new(contact));
    }

    /// Asks the contact. The contact's roster then lists `me`, if the contact has a roster.
    ///
    /// # Errors
    /// [`NotInRoster`]
    pub fn invite(&mut self, me: Jid, has_roster: bool) -> Result<(), NotInRoster> {
        let mine = self.mine.as_mut().ok_or(NotInRoster)?;
        if mine.to == Direction::Open {
            return Ok(());
        }
        mine.to = Direction::Asked;
        if has_roster {
            self.theirs.get_or_insert_with(|| Contact::new(me)).from = Direction::Asked;
        }
        Ok(())
    }

    /// Agrees to the contact's request, if there is one.
    ///
    /// # Errors
    /// [`NotInRoster`]
    pub fn accept(&mut self) -> Result<(), NotInRoster> {
        let mine = self.mine.as_mut().ok_or(NotInRoster)?;
        if mine.from == Direction::Asked {
            mine.from = Direction::Open;
            if let Some(theirs) = &mut self.theirs {
                theirs.to = Direction::Open;
            }
        }
        Ok(())
    }

    /// Takes the contact out of the roster, and ends everything that was agreed.
    ///
    /// # Errors
    /// [`NotInRoster`]
    pub fn remove(&mut self) -> Result<(), NotInRoster> {
        self.mine.take().ok_or(NotInRoster)?;
        if let Some(theirs) = &mut self.theirs {
            (theirs.to, theirs.from) = (Direction::Closed, Direction::Closed);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn jid(name: &str) -> Jid {
        Jid::of(name, "localhost").unwrap()
    }

    proptest! {
        /// Whatever two participants do to each other, both rosters agree on who is told.
        #[test]
        fn both_sides_agree(steps in prop::collection::vec((any::<bool>(), 0..4_u8), 0..30)) {
            let mut relation = Relation::default();
            for (turn, step) in steps {
                if turn {
                    std::mem::swap(&mut relation.mine, &mut relation.theirs);
                }
                // A step that cannot be taken changes nothing.
                let _ = match step {
                    0 => { relation.add(jid("contact")); Ok(()) }
                    1 => relation.invite(jid("me"), true),
                    2 => relation.accept(),
                    _ => relation.remove(),
                };
                let sides = |contact: &Option<Contact>| contact.as_ref().map_or_else(Default::default, |c| (c.to, c.from));
                let (mine, theirs) = (sides(&relation.mine), sides(&relation.theirs));
                prop_assert_eq!(mine, (theirs.1, theirs.0));
            }
        }
    }
}
