//! Many clients work while requests fail. Afterwards the table has to be consistent.
//!
//! Each client remembers what was acknowledged. It retries a request that got no answer, as clients do when they are
//! told to retry. If a retry could do the work twice, the client remembers that it may have been done.

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
use greenroom_core::model::job::LEASE;
use rstest::rstest;
use testbed::Plan;

use crate::{
    bed::{AS_DEPLOYED, Answer, Bed, Call, Instance},
    contract, table,
};
use chance::Chance;

/// The number of rounds of each client.
const ROUNDS: usize = 20;
/// The number of concurrent clients of each kind.
const HANDS: u64 = 3;
/// The number of retries before a fault counts as permanent.
const INSISTENCE: usize = 200;

/// The environment of all clients.
pub(crate) struct Work<'a> {
    bed: &'a Bed,
    instance: Instance,
    seed: u64,
    refused: AtomicUsize,
}

/// The result of retrying until there was an answer.
struct Insisted {
    answer: Answer,
    /// Whether an earlier attempt may already have done it.
    again: bool,
}

impl Work<'_> {
    /// The answer to a request; the clock advances by a millisecond.
    async fn send(&self, call: &Call) -> Answer {
        self.bed.clock.advance(Duration::from_millis(1));
        let answer = self.instance.send(call).await;
        contract::check(call, &answer);
        self.refused.fetch_add(usize::from(answer.status == 503), Ordering::Relaxed);
        answer
    }

    /// Retries until the answer is not 503.
    async fn insist(&self, call: &Call) -> Insisted {
        for asked in 0..INSISTENCE {
            let answer = self.send(call).await;
            if answer.status != 503 {
                return Insisted { answer, again: asked > 0 };
            }
        }
        panic!("{call} is never answered");
    }

    /// The random decisions of one client.
    fn chance(&self, who: &str, hand: u64) -> Chance {
        Chance::new(self.seed ^ who.bytes().fold(hand, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into())))
    }
}

impl Insisted {
    /// Whether it is done: by this attempt, or by an earlier one, which this status shows.
    fn is(&self, done: u16, before: u16) -> bool {
        self.answer.status == done || self.again && self.answer.status == before
    }
}

/// `per_mille` of the requests meet a fault. Each operation has `attempts` attempts; with few of them, the callers see
/// most faults.
#[rstest]
#[case::one_of_a_hundred_requests_fails(10, AS_DEPLOYED)]
#[case::one_of_ten_requests_fails(100, AS_DEPLOYED)]
#[case::one_of_ten_requests_fails_with_two_attempts(100, 2)]
#[case::one_of_thirty_requests_fails_with_one_attempt(33, 1)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_changes_are_kept_and_the_table_is_consistent(#[case] per_mille: u64, #[case] attempts: u32) {
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
    // From here on nothing comes from a cache. Interrupted or background work has lost its lease, so that housekeeping
    // may finish it.
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
