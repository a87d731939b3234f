//! Participants whose user was renamed.

use super::{Change, Participant, Person, Refusal, Room, RoomRole};
use crate::model::Jid;

impl Room {
    /// Lets a participant go on under another JID, with the same role. If somebody had invited that JID before a user
    /// had it, the two become one participant.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] for strangers.
    pub fn rename(&mut self, person: &Person, jid: &Jid) -> Result<Change, Refusal> {
        let role = self.role_of(person).ok_or(Refusal::NotAllowed)?;
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
