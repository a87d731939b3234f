//! Concurrent requests about one room: it always has exactly one owner.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;

use crate::{
    lost_answers::holding,
    races::{count, race},
    support::{Answer, TestApp},
};

const EVERYBODY: [&str; 8] = ["ann", "ben", "cat", "dan", "eve", "fay", "gus", "hal"];

/// The members that this user sees in the room; `None` for strangers.
async fn seen_by(app: &TestApp, username: &str) -> Option<String> {
    let caller = app.as_participant(username);
    if caller.get("/api/rooms/lobby").await.status == 200 { Some(caller.who().await) } else { None }
}

/// Checks that the room has one owner, that each member sees it and that nobody else does. Returns its members.
async fn consistent(app: &TestApp) -> Option<String> {
    let seen = join_all(EVERYBODY.map(|username| seen_by(app, username))).await;
    let who = seen.iter().flatten().next()?.clone();
    assert_eq!(who.matches('*').count(), 1, "{who}");
    let named: Vec<_> = who.split(' ').map(|name| name.trim_end_matches('*')).collect();
    for (username, seen) in EVERYBODY.iter().zip(&seen) {
        let inside = named.contains(username);
        assert_eq!(seen.as_deref(), inside.then_some(who.as_str()), "{username}");
        let caller = app.as_participant(username);
        assert_eq!(caller.get("/api/rooms").await.body.as_array().unwrap().len(), usize::from(inside), "{username}");
        assert_eq!(caller.say("Hi").await.status.as_u16(), if inside { 200 } else { 403 }, "{username}");
    }
    Some(who)
}

async fn at_once(requests: impl IntoIterator<Item = (TestApp, &'static str, &'static str)>) -> Vec<Answer> {
    let tasks = requests
        .into_iter()
        .map(|(app, caller, removed)| tokio::spawn(async move { app.as_participant(caller).remove(removed).await }));
    join_all(tasks).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn when_everybody_leaves_at_once_the_room_is_gone() {
    let app = TestApp::with_lobby(&EVERYBODY).await;
    let answers = at_once(EVERYBODY.map(|username| (app.clone(), username, username))).await;
    assert_eq!(count(&answers, 204), 8, "{answers:?}");
    assert_eq!(app.as_participant("ann").get("/api/rooms/lobby").await.status, 404);
    assert!(app.items().await.iter().any(|item| item.contains("JOBS#")));
    for username in EVERYBODY {
        assert_eq!(app.as_participant(username).get("/api/rooms").await.body, json!([]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_most_members_leave_at_once_one_of_the_others_becomes_owner() {
    let app = TestApp::with_lobby(&EVERYBODY).await;
    let leavers = ["ann", "ben", "dan", "eve", "gus"];
    let answers = at_once(leavers.map(|username| (app.clone(), username, username))).await;
    assert_eq!(count(&answers, 204), 5, "{answers:?}");
    assert_eq!(consistent(&app).await.as_deref(), Some("cat* fay hal"));
    let list = app.as_participant("cat").get("/api/rooms/lobby/messages").await.body;
    let entries = list.as_array().unwrap();
    let told = |affiliation: &str| entries.iter().filter(|entry| entry["affiliation"] == affiliation).count();
    assert_eq!(told("none"), 5);
    // Each owner who left was replaced once, in the order in which they left.
    assert!((1..=5).contains(&told("owner")));
    assert!(entries.iter().map(|entry| entry["timestamp"].as_i64()).is_sorted_by(|a, b| a < b));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_leaving_while_members_are_removed_keeps_the_room_consistent() {
    for _ in 0..5 {
        let app = TestApp::with_lobby(&EVERYBODY).await;
        let mut requests = vec![(app.clone(), "ann", "ann")];
        requests.extend(["ben", "cat", "dan", "eve"].map(|removed| (app.clone(), "ann", removed)));
        let answers = at_once(requests).await;
        // A member who has left can remove nobody.
        assert_eq!(count(&answers, 204) + count(&answers, 403), 5, "{answers:?}");
        assert_eq!(answers[0].status, 204);
        let removed = answers[1..].iter().filter(|answer| answer.status == 204).count();
        let who = consistent(&app).await.unwrap();
        assert_eq!(who.split(' ').count(), 7 - removed, "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_invited_by_twenty_concurrent_requests_joins_once() {
    let app = TestApp::with_lobby(&["ann"]).await;
    app.participants(&EVERYBODY[1..]).await;
    let answers = race(20, || {
        let app = app.clone();
        async move { app.as_participant("ann").invite("lobby", "ben@localhost").await }
    });
    let answers = answers.await;
    assert_eq!(count(&answers, 204) + count(&answers, 503), 20, "{answers:?}");
    assert_eq!(app.as_participant("ann").get("/api/rooms/lobby/messages").await.body.as_array().unwrap().len(), 1);
    assert_eq!(consistent(&app).await.as_deref(), Some("ann* ben"));
}

#[rstest]
#[case::invited_again(true)]
#[case::removed_only(false)]
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_inviting_removing_and_leaving_keep_the_room_consistent(#[case] again: bool) {
    let app = TestApp::with_lobby(&["ann", "ben"]).await;
    app.participants(&EVERYBODY[2..]).await;
    let inviting = |invitee: &'static str| {
        let app = app.clone();
        tokio::spawn(async move { app.as_participant("ann").invite("lobby", &format!("{invitee}@localhost")).await })
    };
    let removing = |caller: &'static str, removed: &'static str| {
        let app = app.clone();
        tokio::spawn(async move { app.as_participant(caller).remove(removed).await })
    };
    let mut tasks = vec![removing("ben", "ben"), inviting("cat"), removing("ann", "ben"), inviting("dan")];
    tasks.extend(again.then(|| inviting("ben")));
    tasks.push(removing("ann", "ann"));
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    let known = [204, 403, 404].map(|status| count(&answers, status)).iter().sum::<usize>();
    assert_eq!(known, answers.len(), "{answers:?}");
    let who = consistent(&app).await;
    assert_eq!(who.is_none(), app.as_participant("ann").get("/api/rooms/lobby").await.status == 404, "{who:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_twenty_concurrent_rooms_with_the_same_id_is_created() {
    let app = TestApp::new().await;
    app.participants(&EVERYBODY).await;
    let tasks = EVERYBODY.map(|username| {
        let app = app.clone();
        tokio::spawn(async move {
            app.as_participant(username).put("/api/rooms/lobby", json!({ "name": username, "subject": "S" })).await
        })
    });
    let answers: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert_eq!((count(&answers, 201), count(&answers, 403)), (1, 7), "{answers:?}");
    let who = consistent(&app).await.unwrap();
    let maker = EVERYBODY[answers.iter().position(|answer| answer.status == 201).unwrap()];
    assert_eq!(who, format!("{maker}*"));
}

/// A message is held back until its sender has been removed. It is refused, and not in the archive.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_member_removed_meanwhile_is_refused() {
    let app = TestApp::with_lobby(&["ann", "ben"]).await;
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let saying = tokio::spawn(async move { slow.as_participant("ben").say("Hi").await });
    arrived.notified().await;
    assert_eq!(app.as_participant("ann").remove("ben").await.status, 204);
    released.notify_one();
    assert_eq!(saying.await.unwrap().to_string(), "403 -");
    let list = app.as_participant("ann").get("/api/rooms/lobby/messages").await.body;
    assert!(list.as_array().unwrap().iter().all(|entry| entry["type"] == "affiliation"));
}

/// A message is held back until the room has ended. It is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_to_a_room_that_ended_meanwhile_is_refused() {
    let app = TestApp::with_lobby(&["ann"]).await;
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let saying = tokio::spawn(async move { slow.as_participant("ann").say("Hi").await });
    arrived.notified().await;
    assert_eq!(app.as_participant("ann").remove("ann").await.status, 204);
    released.notify_one();
    assert_eq!(saying.await.unwrap().to_string(), "404 -");
    // The archive holds only her leaving.
    assert!(!app.items().await.iter().any(|item| item.contains("ROOMARCHIVE") && item.contains("body")));
}

/// An invitation is held back until the invitee has been deleted. It applies to the next user with that name.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_of_a_user_deleted_meanwhile_applies_to_the_next_user_of_that_name() {
    let app = TestApp::with_lobby(&["ann"]).await;
    let (ben, admin) = (app.participant("ben").await, app.admin().await);
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let inviting = tokio::spawn(async move { slow.as_participant("ann").invite("lobby", "ben@localhost").await });
    arrived.notified().await;
    assert_eq!(app.organiser(&admin).delete(&format!("/api/v2/users/{ben}/")).await.status, 204);
    released.notify_one();
    assert_eq!(inviting.await.unwrap().status, 204);
    app.participant("ben").await;
    assert_eq!(app.as_participant("ben").who().await, "ann* ben");
    assert_eq!(app.as_participant("ben").say("Hi").await.status, 200);
}

/// The creation of a room is held back until its creator has been deleted. The room is not created.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_deleted_while_creating_a_room_creates_none() {
    let app = TestApp::with_lobby(&["ann"]).await;
    let (ben, admin) = (app.participant("ben").await, app.admin().await);
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let body = json!({ "name": "N", "subject": "S" });
    let making = tokio::spawn(async move { slow.as_participant("ben").put("/api/rooms/bens", body).await });
    arrived.notified().await;
    assert_eq!(app.organiser(&admin).delete(&format!("/api/v2/users/{ben}/")).await.status, 204);
    released.notify_one();
    assert_eq!(making.await.unwrap().status, 401);
    assert_eq!(app.as_participant("ann").get("/api/rooms/bens").await.status, 404);
}

/// An owner's change is held back until the room has another owner, or is gone, or was created again with the same id.
#[rstest]
#[case::another_owner(false, 403)]
#[case::gone(true, 404)]
#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_invitation_of_a_former_owner_is_refused(#[case] gone: bool, #[case] status: u16) {
    let app = TestApp::with_lobby(&["ann", "ben"]).await;
    let (slow, arrived, released) = holding(&app, "TransactWriteItems", 0);
    let inviting = tokio::spawn(async move { slow.as_participant("ann").invite("lobby", "eve@localhost").await });
    arrived.notified().await;
    app.as_participant("ann").remove("ann").await;
    if gone {
        app.as_participant("ben").remove("ben").await;
        let again = json!({ "name": "R", "subject": "S" });
        app.as_participant("ann").put("/api/rooms/lobby", again).await;
    }
    released.notify_one();
    assert_eq!(inviting.await.unwrap().status, status);
    let owner = if gone { "ann" } else { "ben" };
    assert_eq!(app.as_participant(owner).who().await, format!("{owner}*"));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_concurrent_messages_are_all_archived() {
    let app = TestApp::with_lobby(&["ann"]).await;
    let answers = race(30, || {
        let app = app.clone();
        async move { app.as_participant("ann").say("Hi").await }
    });
    let answers = answers.await;
    let said = count(&answers, 200);
    assert_eq!(said + count(&answers, 503), 30, "{answers:?}");
    let list = app.as_participant("ann").get("/api/rooms/lobby/messages").await.body;
    let times: Vec<_> = list.as_array().unwrap().iter().map(|entry| entry["timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b));
    assert_eq!(times.len(), said);
}
