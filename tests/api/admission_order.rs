//! Webhooks arrive late, twice, out of order or never. The list of viewers is right all the same.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tokio::runtime::Runtime;

use crate::{stream_sessions::viewer, support::TestApp};

/// A viewer's visit to a stream: a port, the number of players on it, and the number of players whose end is reported.
type Visit = (u16, i64, i64);

/// The webhooks of these visits, in the order in which they happened. Each visit has a name of its own.
fn webhooks(visits: &[Visit], spells: i64) -> Vec<(String, i64, u16)> {
    let mut all = Vec::new();
    for (port, players, closed) in visits {
        for spell in 0..spells {
            // Every spell but the last is over.
            let closed = if spell + 1 < spells { *players } else { *closed };
            all.extend((0..*players).map(|player| ("opening".to_owned(), spell * 20 + player, *port)));
            all.extend((0..closed).map(|player| ("closing".to_owned(), spell * 20 + 10 + player, *port)));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn shuffled_and_doubled_webhooks_leave_the_right_viewers(
        visits in prop::collection::btree_map(1_u16..1000, (1_i64..4, 0_i64..4), 1..5),
        spells in 1_i64..3,
        seed in any::<u64>(),
        dropped in prop::collection::vec(any::<bool>(), 50),
    ) {
        let visits: Vec<Visit> =
            visits.into_iter().map(|(port, (players, closed))| (port, players, closed.min(players))).collect();
        let mut sent = webhooks(&visits, spells);
        // All webhooks are sent twice. Some of the second copies are lost.
        let copies: Vec<_> = sent.iter().zip(dropped.iter().cycle()).filter(|(_, lost)| !**lost).map(|(one, _)| one.clone()).collect();
        sent.extend(copies);
        shuffle(&mut sent, seed);
        let (left, expected) = Runtime::new().unwrap().block_on(async {
            let app = TestApp::new().await;
            // An opening makes the stream known; closings alone do not.
            app.webhook(&viewer("opening", 1, 0, &url(0))).await;
            app.webhook(&viewer("closing", 1, 1, &url(0))).await;
            for (status, time, port) in &sent {
                let answer = app.webhook(&viewer(status, *port, *time, &url(*port))).await;
                assert_eq!(answer.status, 200);
            }
            let left: BTreeSet<_> = app.live_names("app", "stream").await.into_iter().collect();
            let live = visits.iter().filter(|(_, players, closed)| closed < players);
            let live = live.map(|(port, ..)| format!("viewer-{port}"));
            (left, live.collect::<BTreeSet<_>>())
        });
        prop_assert_eq!(left, expected);
    }
}

fn url(port: u16) -> String {
    format!("ws://live.example:3333/app/stream?session=viewer-{port}")
}

/// Puts the items into an order that the seed decides.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for index in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(index, usize::try_from(seed >> 33).unwrap() % (index + 1));
    }
}

#[test]
fn after_a_lost_closing_the_entry_expires_and_after_a_lost_opening_there_is_none() {
    Runtime::new().unwrap().block_on(async {
        let app = TestApp::new().await;
        app.webhook(&viewer("opening", 1, 0, &url(1))).await;
        app.webhook(&viewer("closing", 2, 0, &url(2))).await;
        assert_eq!(app.live_names("app", "stream").await, ["viewer-1"]);
        app.wait(std::time::Duration::from_mins(1));
        assert!(app.live_names("app", "stream").await.is_empty());
    });
}
