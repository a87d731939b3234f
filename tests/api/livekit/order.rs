//! Webhooks that come twice, late, or in another order.

use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::stage::{Came, FIRST, Guest, SECOND, Stage};
use crate::opentok_webhook::stored;

/// The webhook with this id.
fn named(mut told: Value, id: &str) -> Value {
    told["id"] = json!(id);
    told
}

#[tokio::test]
async fn a_webhook_counts_once_in_ten_minutes() {
    let (stage, guest) = Stage::joined().await;
    stage.app.hear(&named(guest.joined(FIRST), "EV_once")).await;
    let before = stored(&stage.app).await;
    // Whatever comes with the id is the same webhook.
    stage.app.hear(&named(guest.joined(FIRST), "EV_once")).await;
    stage.app.hear(&named(guest.left(FIRST, 20_000, "CLIENT_INITIATED"), "EV_once")).await;
    stage.app.wait(Duration::from_secs(599));
    stage.app.hear(&named(guest.left(FIRST, 20_000, "CLIENT_INITIATED"), "EV_once")).await;
    assert_eq!(stored(&stage.app).await, before);
    stage.app.wait(Duration::from_secs(1));
    stage.app.hear(&named(guest.left(FIRST, 20_000, "CLIENT_INITIATED"), "EV_once")).await;
    assert_eq!(stage.ended(&guest).await["reason"], "left");
}

/// The webhooks of a visit, in their order.
fn visit(guest: &Guest) -> [Value; 5] {
    [
        guest.of_room("room_started", 10_000),
        guest.joined(FIRST),
        guest.track("track_published", FIRST, 11_000, "TR_one"),
        guest.track("track_unpublished", FIRST, 12_000, "TR_one"),
        guest.left(FIRST, 13_000, "CLIENT_INITIATED"),
    ]
}

/// Whether the visit is over, as if its webhooks had come in their order.
async fn is_over(stage: &Stage, guest: &Guest) -> bool {
    let ended = stage.ended(guest).await;
    let end = json!([ended["since"], ended["endedAt"], ended["duration"], ended["reason"]]);
    end == json!(["2023-11-14T22:13:30.782Z", "2023-11-14T22:13:33Z", 2, "left"])
}

#[rstest]
#[case::backwards(&[4, 3, 2, 1, 0])]
#[case::left_first(&[4, 0, 1, 2, 3])]
#[case::joined_last(&[0, 2, 3, 4, 1])]
#[case::twice(&[0, 0, 1, 1, 2, 2, 3, 3, 4, 4])]
#[case::twice_later(&[0, 1, 2, 3, 4, 0, 1, 2, 3, 4])]
#[case::the_end_alone(&[4])]
#[case::without_the_beginning(&[2, 4])]
#[tokio::test]
async fn a_visit_is_over_in_whatever_order_its_webhooks_come(
    #[case] order: &[usize],
    #[values(false, true)] with_new_ids: bool,
) {
    let (stage, guest) = Stage::joined().await;
    let webhooks = visit(&guest);
    for (turn, number) in order.iter().enumerate() {
        let told = webhooks[*number].clone();
        let id = if with_new_ids { format!("EV_{turn}") } else { format!("EV_{number}") };
        stage.app.hear(&named(told, &id)).await;
    }
    assert!(is_over(&stage, &guest).await);
    assert!(stage.server.asked().is_empty());
}

#[rstest]
#[case::published_first(&["published", "joined"], true)]
#[case::unpublished_first(&["joined", "unpublished", "published"], false)]
#[case::unpublished_in_the_same_second(&["joined", "published", "unpublished at once"], false)]
#[case::published_late_in_the_same_second(&["joined", "unpublished at once", "published"], false)]
#[tokio::test]
async fn the_later_report_of_a_track_counts(#[case] order: &[&str], #[case] publishes: bool) {
    let (stage, guest) = Stage::joined().await;
    for word in order {
        let told = match *word {
            "joined" => guest.joined(FIRST),
            "published" => guest.track("track_published", FIRST, 12_000, "TR_one"),
            "unpublished" => guest.track("track_unpublished", FIRST, 13_000, "TR_one"),
            _ => guest.track("track_unpublished", FIRST, 12_000, "TR_one"),
        };
        stage.app.hear(&told).await;
    }
    let shown = stage.entry(&guest).await;
    assert_eq!((&shown["state"], &shown["since"]), (&json!("connected"), &json!("2023-11-14T22:13:30.782Z")));
    assert_eq!(!shown["publishing"].is_null(), publishes, "{shown}");
}

/// What is told of who was there before somebody joined with the same token.
fn of_the_first(guest: &Guest) -> [Value; 4] {
    [
        guest.joined(FIRST),
        guest.track("track_published", FIRST, 15_000, "TR_old"),
        guest.track("track_unpublished", FIRST, 21_000, "TR_old"),
        guest.left(FIRST, 21_000, "DUPLICATE_IDENTITY"),
    ]
}

#[rstest]
#[case::after(&[0, 1], &[2, 3])]
#[case::all_after(&[], &[0, 1, 2, 3])]
#[case::all_after_backwards(&[], &[3, 2, 1, 0])]
#[case::the_end_alone(&[], &[3])]
#[case::before(&[0, 1, 2, 3], &[])]
#[tokio::test]
async fn a_report_of_who_was_there_before_never_ends_or_changes_who_is(
    #[case] before: &[usize],
    #[case] after: &[usize],
) {
    let (stage, guest) = Stage::joined().await;
    let first = of_the_first(&guest);
    for number in before {
        stage.app.hear(&first[*number]).await;
    }
    stage.app.hear(&guest.joined(SECOND)).await;
    let shown = stage.entry(&guest).await;
    let now = json!([shown["state"], shown["since"], shown["publishing"], shown["reason"]]);
    assert_eq!(now, json!(["connected", "2023-11-14T22:13:40.25Z", null, null]));
    for number in after {
        stage.app.hear(&first[*number]).await;
        assert_eq!(stage.entry(&guest).await, shown, "{number}");
    }
    // The present one is ended by their own leaving.
    stage.app.hear(&guest.left(SECOND, 30_000, "CLIENT_INITIATED")).await;
    assert!(stage.names(&guest).await.is_empty());
    let path = format!("/api/live/?event={}&stream={}&state=ended", guest.event, guest.session);
    let ended = stage.app.organiser(&stage.admin).get(&path).await.body["results"][0].clone();
    assert_eq!(json!([ended["since"], ended["reason"]]), json!(["2023-11-14T22:13:40.25Z", "left"]));
}

#[rstest]
#[case::joined(0)]
#[case::published(1)]
#[case::unpublished(2)]
#[case::left(3)]
#[tokio::test]
async fn a_late_report_of_who_was_there_before_does_not_revive_who_has_left(
    #[case] number: usize,
    #[values(false, true)] is_known: bool,
) {
    let (stage, guest) = Stage::joined().await;
    if is_known {
        stage.app.hear(&guest.joined(FIRST)).await;
    }
    stage.app.hear(&guest.joined(SECOND)).await;
    stage.app.hear(&guest.left(SECOND, 30_000, "CLIENT_INITIATED")).await;
    let ended = stage.ended(&guest).await;
    stage.app.hear(&of_the_first(&guest)[number]).await;
    assert_eq!(stage.ended(&guest).await, ended);
}

#[tokio::test]
async fn the_end_of_a_room_counts_before_or_after_what_is_told_of_who_was_in_it() {
    for order in [[0, 1, 2], [0, 2, 1], [2, 0, 1]] {
        let (stage, guest) = Stage::joined().await;
        let webhooks =
            [guest.joined(FIRST), guest.left(FIRST, 20_000, "ROOM_DELETED"), guest.of_room("room_finished", 20_000)];
        for number in order {
            stage.app.hear(&webhooks[number]).await;
        }
        let ended = stage.ended(&guest).await;
        let end = json!([ended["reason"], ended["endedAt"]]);
        assert_eq!(end, json!(["session_ended", "2023-11-14T22:13:40Z"]), "{order:?}");
        stage.app.hear(&guest.joined(Came("PA_again", 40_000))).await;
        assert_eq!(stage.entry(&guest).await["state"], "connected");
    }
}
