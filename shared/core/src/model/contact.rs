//! Contacts: the people in a participant's roster (`docs/apis/mongooseim.md`, RFC 6121).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Jid;

/// Which of the two participants receives the presence of the other (RFC 6121, 2.1.2.5).
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

/// Which of the two participants has asked for the presence of the other, and has no answer yet.
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

/// Whether one participant receives the presence of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// No, and has not asked for it.
    #[default]
    Closed,
    /// Not yet: the participant has asked, and the other has not agreed.
    Asked,
    /// Yes: the other has agreed.
    Open,
}

/// A contact in somebody's roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// The contact's JID.
    pub jid: Jid,
    /// Whether the owner of the roster receives the presence of the contact.
    #[serde(default)]
    pub to: Direction,
    /// Whether the contact receives the presence of the owner.
    #[serde(default)]
    pub from: Direction,
}

/// The entries that two participants have in each other's rosters. An entry is `None` if the roster does not have it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relation {
    /// The entry of the contact in the roster of the acting participant.
    pub mine: Option<Contact>,
    /// The entry of the acting participant in the roster of the contact.
    pub theirs: Option<Contact>,
}

/// The contact is not in the roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in the roster")]
pub struct NotInRoster;

impl Contact {
    /// A contact, with neither direction agreed.
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

    /// Removes the contact from the roster, and closes both directions.
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
        /// After any steps of two participants, both rosters have the same directions.
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
