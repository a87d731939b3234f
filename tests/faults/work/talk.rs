//! Participants write to each other and in a room, create rooms and leave them, and keep rosters.

use serde_json::json;

use super::{Chance, HANDS, ROUNDS, Work};
use crate::{
    bed::{Bed, Call, Instance, text},
    world::participant,
};
use greenroom_store::Attributes;

/// The participants, and a room that all of them are in.
pub(super) struct Lobby {
    /// The numbers of their users.
    users: Vec<u64>,
}

impl Lobby {
    pub(super) async fn make(bed: &Bed) -> Self {
        let mut users = Vec::new();
        for hand in 0..HANDS {
            users.push(bed.sound.participant(&name(hand)).await.id);
        }
        let owner = participant(&name(0));
        let config = json!({ "name": "Lobby", "subject": "Talk" });
        bed.sound.does(Call::new("PUT", "/api/rooms/lobby").by(&owner).json(config)).await;
        for hand in 1..HANDS {
            let user = json!({ "user": jid(hand) });
            bed.sound.does(Call::new("POST", "/api/rooms/lobby/users").by(&owner).json(user)).await;
        }
        Self { users }
    }
}

fn name(hand: u64) -> String {
    format!("talker{hand}")
}

fn jid(hand: u64) -> String {
    format!("{}@localhost", name(hand))
}

/// A message.
struct Said {
    body: String,
    by: u64,
    /// The recipient; `None` for the lobby.
    to: Option<u64>,
    acknowledged: bool,
}

/// The acknowledged state of a participant.
pub(super) struct Talker {
    hand: u64,
    said: Vec<Said>,
    contacts: Vec<String>,
    /// Rooms of this participant, and whether the next participant is in each of them.
    rooms: Vec<(String, bool)>,
}

pub(super) async fn work(work: &Work<'_>, hand: u64) -> Talker {
    let mut talker = Talker { hand, said: Vec::new(), contacts: Vec::new(), rooms: Vec::new() };
    let mut chance = work.chance("talk", hand);
    for round in 0..ROUNDS {
        match chance.below(8) {
            0..=2 => talker.write(work, Some(u64::try_from(chance.below(3)).unwrap()), round).await,
            3 | 4 => talker.write(work, None, round).await,
            5 => talker.change_roster(work, &mut chance).await,
            _ => talker.change_rooms(work, &mut chance, round).await,
        }
    }
    talker
}

impl Talker {
    fn by(&self) -> String {
        participant(&name(self.hand))
    }

    async fn write(&mut self, work: &Work<'_>, to: Option<u64>, round: usize) {
        let body = format!("<{}-{round}>", self.hand);
        let call = match to {
            Some(to) => Call::new("POST", "/api/messages").json(json!({ "to": jid(to), "body": body })),
            None => Call::new("POST", "/api/rooms/lobby/messages").json(json!({ "body": body })),
        };
        let answer = work.send(&call.by(&self.by())).await;
        assert!([200, 503].contains(&answer.status), "{answer}");
        self.said.push(Said { body, by: self.hand, to, acknowledged: answer.status == 200 });
    }

    async fn change_roster(&mut self, work: &Work<'_>, chance: &mut Chance) {
        let contact = jid((self.hand + 1) % HANDS);
        if chance.below(2) == 0 {
            let add = Call::new("POST", "/api/contacts").by(&self.by()).json(json!({ "jid": contact }));
            let added = work.insist(&add).await.answer;
            assert_eq!(added.status, 204, "{added}");
            self.contacts = vec![contact];
        } else if let Some(contact) = self.contacts.pop() {
            let removed = work.insist(&Call::new("DELETE", format!("/api/contacts/{contact}")).by(&self.by())).await;
            assert!(removed.is(204, 404), "{}", removed.answer);
        }
    }

    async fn change_rooms(&mut self, work: &Work<'_>, chance: &mut Chance, round: usize) {
        let (by, other) = (self.by(), jid((self.hand + 1) % HANDS));
        let which = if chance.below(2) == 0 { None } else { Some(chance.below(self.rooms.len().max(1))) };
        let Some((room, has_other)) = which.and_then(|which| self.rooms.get_mut(which)) else {
            let room = format!("room-{}-{round}", self.hand);
            let config = json!({ "name": room, "subject": "Anything" });
            let made = work.insist(&Call::new("PUT", format!("/api/rooms/{room}")).by(&by).json(config)).await;
            // On a retry the id is taken, by this participant's own room.
            assert!(made.is(201, 403), "{}", made.answer);
            self.rooms.push((room, false));
            return;
        };
        let users = format!("/api/rooms/{room}/users");
        let call = if *has_other {
            Call::new("DELETE", format!("{users}/{other}"))
        } else {
            Call::new("POST", users).json(json!({ "user": other }))
        };
        let changed = work.insist(&call.by(&by)).await;
        // On a retry the participant is already in the room, or no longer in it.
        assert!(changed.answer.status == 204 || changed.again && changed.answer.status < 500, "{}", changed.answer);
        *has_other = !*has_other;
    }

    pub(super) async fn check(&self, instance: &Instance) {
        let roster = instance.does(Call::new("GET", "/api/contacts").by(&self.by())).await;
        // The previous participant may have invited nobody. A roster lists only its owner's own actions.
        let listed: Vec<_> = roster.body.as_array().unwrap().iter().filter_map(|one| one["jid"].as_str()).collect();
        assert_eq!(listed, self.contacts);
        for (room, has_other) in &self.rooms {
            let read = instance.does(Call::new("GET", format!("/api/rooms/{room}")).by(&self.by())).await;
            let there = read.body["participants"].as_array().unwrap();
            assert_eq!(there.len(), 1 + usize::from(*has_other), "{read}");
            let owners: Vec<_> = there.iter().filter(|one| one["role"] == "owner").collect();
            assert_eq!(owners.len(), 1, "{read}");
            assert_eq!(owners[0]["user"], jid(self.hand), "{read}");
        }
    }
}

/// Every acknowledged message was delivered once, to everybody concerned. Every other message was delivered once or not
/// at all.
pub(super) fn check(talkers: &[Talker], lobby: &Lobby, items: &[Attributes]) {
    for said in talkers.iter().flat_map(|talker| &talker.said) {
        let found: Vec<_> = items.iter().filter(|item| format!("{item:?}").contains(&said.body)).collect();
        let archive = |hand: u64| format!("ARCHIVE#{}", lobby.users[usize::try_from(hand).unwrap()]);
        let in_archives = |hand: u64| {
            let archive = archive(hand);
            let partner = format!("{archive}/");
            let count = |is: &dyn Fn(&str) -> bool| found.iter().filter(|item| is(text(item, "PK"))).count();
            [count(&|pk| pk == archive), count(&|pk| pk.starts_with(&partner))]
        };
        if found.is_empty() {
            assert!(!said.acknowledged, "{} is lost", said.body);
            continue;
        }
        match said.to {
            None => assert!(found.len() == 1 && text(found[0], "PK").starts_with("ROOMARCHIVE#"), "{}", said.body),
            // A message to oneself is sent and received.
            Some(to) if to == said.by => assert_eq!((in_archives(to), found.len()), ([2, 2], 4), "{}", said.body),
            Some(to) => {
                assert_eq!([in_archives(to), in_archives(said.by)], [[1, 1], [1, 1]], "{}", said.body);
                assert_eq!(found.len(), 4, "{}", said.body);
            }
        }
    }
}
