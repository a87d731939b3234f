//! Participants whose user was renamed.

use super::{Change, Participant, Person, Room, RoomRefusal, RoomRole};
use crate::model::Jid;

impl Room {
    /// Gives a participant another JID, and keeps the role. If the room has a participant with that JID already,
    /// invited before a user had it, the two become one participant.
    ///
    /// # Errors
    /// [`RoomRefusal::NotAllowed`] for strangers.
    pub fn rename(&mut self, person: &Person, jid: &Jid) -> Result<Change, RoomRefusal> {
        let role = self.role_of(person).ok_or(RoomRefusal::NotAllowed)?;
        self.participants.retain(|participant| participant.person.jid != person.jid);
        let renamed = Person { jid: jid.clone(), user: person.user };
        match self.place_of(jid) {
            Ok(at) => {
                let there = &mut self.participants[at];
                there.person = renamed.clone();
                if role == RoomRole::Owner {
                    there.role = role;
                }
            }
            Err(at) => self.participants.insert(at, Participant { person: renamed.clone(), role }),
        }
        Ok(Change::Renamed { from: person.jid.clone(), to: renamed, role })
    }
}
