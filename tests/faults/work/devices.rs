//! Devices register, refresh their tokens and log out.

use serde_json::json;

use super::{ROUNDS, Work};
use crate::bed::{Answer, Call, Instance};

/// The number of sessions a device may have here. It is below the limit at which the oldest session ends.
const SESSIONS: usize = 8;

/// The acknowledged state of a device.
#[derive(Default)]
pub(super) struct Device {
    /// Tokens of sessions that are live.
    live: Vec<String>,
    /// Tokens of sessions that have ended.
    dead: Vec<String>,
    /// The number of sessions that may have begun.
    maybe: usize,
}

fn token(answer: &Answer) -> String {
    format!("Bearer {}", answer.body["data"]["token"].as_str().unwrap())
}

pub(super) async fn work(work: &Work<'_>, hand: u64) -> Device {
    let (mut device, mut chance) = (Device::default(), work.chance("device", hand));
    let register = Call::new("POST", "/api/sessions").json(json!({ "identifier": format!("phone {hand}") }));
    // Each round sends only one or two requests, so there are twice as many rounds.
    for _ in 0..2 * ROUNDS {
        let known = device.live.len() + device.maybe;
        match chance.below(4) {
            0 | 1 if known < SESSIONS => match work.send(&register).await {
                answer if answer.status == 200 => device.live.push(token(&answer)),
                _ => device.maybe += 1,
            },
            2 => {
                if let Some(old) = chance.take(&mut device.live) {
                    // The answer to an earlier attempt may be lost. Then its successor is returned once more.
                    let refreshed = work.insist(&Call::new("POST", "/api/session/refresh").by(&old)).await.answer;
                    assert_eq!(refreshed.status, 200, "{refreshed}");
                    device.live.push(token(&refreshed));
                }
            }
            _ => {
                if let Some(old) = chance.take(&mut device.live) {
                    let ended = work.insist(&Call::new("DELETE", "/api/session").by(&old)).await;
                    assert!(ended.is(204, 401), "{}", ended.answer);
                    device.dead.push(old);
                }
            }
        }
    }
    device
}

impl Device {
    pub(super) async fn check(&self, instance: &Instance) {
        let read = |token: &str| Call::new("GET", "/api/session").by(token);
        for token in &self.dead {
            assert_eq!(instance.send(&read(token)).await.status, 401);
        }
        for token in &self.live {
            assert_eq!(instance.send(&read(token)).await.status, 200);
            let list = instance.does(Call::new("GET", "/api/devices/current/sessions").by(token)).await;
            let listed = list.body["data"].as_array().unwrap().len();
            let (least, most) = (self.live.len(), self.live.len() + self.maybe);
            assert!((least..=most).contains(&listed), "{listed} of {least} to {most}");
        }
    }
}
