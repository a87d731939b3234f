//! Work under faults, and what has to be true of it afterwards.
//!
//! Everybody here remembers what they were told was done. What they were told nothing of, they ask for again, as clients
//! do that are told when to come back; where asking again would do it twice, they remember that it may have been done.

mod chance;
mod devices;
pub(crate) mod live;
mod media;
pub(crate) mod organisers;
mod people;
mod talk;

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use rstest::rstest;
use shared::model::job::LEASE;
use testbed::Plan;

use crate::{
    bed::{AS_DEPLOYED, Answer, Bed, Call, Instance},
    contract, table,
};
use chance::Chance;

/// How often each of those who work does something.
const ROUNDS: usize = 20;
/// How many of a kind work at once.
const HANDS: u64 = 3;
/// How often one asks again before something is taken to be broken for good.
const INSISTENCE: usize = 200;

/// What everybody works with.
pub(crate) struct Work<'a> {
    bed: &'a Bed,
    instance: Instance,
    seed: u64,
    refused: AtomicUsize,
}

/// What came of asking until there was an answer.
struct Insisted {
    answer: Answer,
    /// Whether an earlier asking may have done it already.
    again: bool,
}

impl Work<'_> {
    /// The answer to a request; meanwhile a millisecond passes.
    async fn send(&self, call: &Call) -> Answer {
        self.bed.clock.advance(Duration::from_millis(1));
        let answer = self.instance.send(call).await;
        contract::check(call, &answer);
        self.refused.fetch_add(usize::from(answer.status == 503), Ordering::Relaxed);
        answer
    }

    /// Asks until the answer is another than 503.
    async fn insist(&self, call: &Call) -> Insisted {
        for asked in 0..INSISTENCE {
            let answer = self.send(call).await;
            if answer.status != 503 {
                return Insisted { answer, again: asked > 0 };
            }
        }
        panic!("{call} is never answered");
    }

    /// What is left to chance for one of those who work.
    fn chance(&self, who: &str, hand: u64) -> Chance {
        Chance::new(self.seed ^ who.bytes().fold(hand, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())))
    }
}

impl Insisted {
    /// Whether it has been done: now, or, as this status says, before.
    fn is(&self, done: u16, before: u16) -> bool {
        self.answer.status == done || self.again && self.answer.status == before
    }
}

/// `per_mille` of the requests meet a fault, each of which is tried `attempts` times: with few, most faults are the
/// caller's to see.
#[rstest]
#[case::one_of_a_hundred(10, AS_DEPLOYED)]
#[case::one_of_ten(100, AS_DEPLOYED)]
#[case::one_of_ten_tried_twice(100, 2)]
#[case::one_of_thirty_tried_once(33, 1)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_is_there_and_everything_is_whole(#[case] per_mille: u64, #[case] attempts: u32) {
    let bed = Bed::new().await;
    let setting = organisers::Setting::make(&bed).await;
    let lobby = talk::Lobby::make(&bed).await;
    let seed = per_mille * 10 + u64::from(attempts);
    let work = Work { bed: &bed, instance: bed.instance(attempts), seed, refused: AtomicUsize::default() };
    let admins = join_all((0..HANDS).map(|hand| people::Admin::make(&bed, hand))).await;
    bed.proxy.inject(Plan::some(per_mille, seed));
    let (devices, media, events, talk, live, people) = tokio::join!(
        join_all((0..HANDS).map(|hand| devices::work(&work, hand))),
        join_all((0..HANDS).map(|hand| media::work(&work, hand))),
        join_all((0..HANDS).map(|hand| organisers::work(&work, &setting, hand))),
        join_all((0..HANDS).map(|hand| talk::work(&work, hand))),
        join_all((0..HANDS).map(|hand| live::work(&work, &setting, hand))),
        join_all(admins.into_iter().zip(0..).map(|(admin, hand)| admin.work(&work, &setting, hand))),
    );
    bed.proxy.heal();
    // What was read is no longer taken for what is, and nobody's work that broke off, or goes on behind an answer, is theirs
    // alone any more.
    bed.clock.advance(LEASE);
    work.instance.keep_house().await.unwrap();
    let items = bed.items().await;
    table::check(&items);
    talk::check(&talk, &lobby, &items);
    for device in &devices {
        device.check(&work.instance).await;
    }
    for session in media.iter().flatten() {
        session.check(&work.instance).await;
    }
    for talker in &talk {
        talker.check(&work.instance).await;
    }
    for hand in &events {
        hand.check(&work.instance, &setting).await;
    }
    for hand in &live {
        hand.check(&work.instance, &setting).await;
    }
    for admin in &people {
        admin.check(&work.instance, &setting).await;
    }
    let (faults, refused) = (bed.proxy.injected(), work.refused.load(Ordering::Relaxed));
    println!("{faults} faults, {refused} requests refused for now");
    assert!(faults > 5 && (attempts > 1 || refused > 10), "{faults} {refused}");
}
