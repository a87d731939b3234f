//! Members of a room: inviting, removing, leaving, and who becomes the owner.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use greenroom_core::model::job::LEASE;
use rstest::rstest;
use serde_json::{Value, json};

use crate::support::{NOW, TestApp};

/// The affiliations in the room's archive.
async fn affiliations(app: &TestApp, reader: &str) -> Vec<String> {
    let list = app.as_participant(reader).get("/api/rooms/lobby/messages").await.body;
    let entries = list.as_array().unwrap().iter().filter(|entry| entry["type"] == "affiliation");
    let text = |entry: &Value, name: &str| entry[name].as_str().unwrap().to_owned();
    entries.map(|entry| format!("{} {}", text(entry, "user"), text(entry, "affiliation"))).collect()
}

#[tokio::test]
async fn a_room_has_one_owner_and_its_participants_in_order() {
    let app = TestApp::with_lobby(&["mia"]).await;
    let mia = app.as_participant("mia");
    for jid in ["zoe@localhost", "Bob@LocalHost/phone", "a-x@aaa", "a@zzz", "bob@elsewhere", "nobody@localhost"] {
        assert_eq!(mia.invite("lobby", jid).await.to_string(), "204 -");
    }
    assert_eq!(mia.who().await, "a@zzz a-x@aaa bob@elsewhere bob mia* nobody zoe");
}

#[tokio::test]
async fn an_invitation_is_announced_once() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let alice = app.as_participant("alice");
    for again in ["bob@localhost", "alice@localhost"] {
        assert_eq!(alice.invite("lobby@muclight.localhost", again).await.to_string(), "204 -");
    }
    assert_eq!(alice.who().await, "alice* bob");
    let list = alice.get("/api/rooms/lobby/messages").await.body;
    assert_eq!(
        list,
        json!([{
            "type": "affiliation", "id": list[0]["id"], "from": "lobby@muclight.localhost", "timestamp": NOW,
            "user": "bob@localhost", "affiliation": "member",
        }])
    );
    assert_eq!(list[0]["id"].as_str().unwrap().len(), 36);
}

#[rstest]
#[case::nobody(json!({}), r#"400 "Missing user""#)]
#[case::a_number(json!({ "user": 1 }), r#"400 "Invalid user: it must be a string""#)]
#[case::not_a_jid(json!({ "user": "bob" }), r#"400 "Invalid user: it must be a JID""#)]
#[tokio::test]
async fn an_invitee_must_be_a_jid(#[case] body: Value, #[case] refusal: &str) {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    assert_eq!(app.as_participant("alice").post("/api/rooms/lobby/users", body.clone()).await.to_string(), refusal);
    assert_eq!(app.as_participant("bob").post("/api/rooms/lobby/users", body).await.to_string(), "403 -");
}

#[tokio::test]
async fn an_invited_member_sees_the_whole_archive_and_a_removed_one_nothing() {
    let app = TestApp::with_lobby(&["alice"]).await;
    app.participants(&["bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    alice.say("before").await;
    alice.invite("lobby", "bob@localhost").await;
    assert_eq!(bob.get("/api/rooms/lobby/messages").await.body[0]["body"], "before");
    assert_eq!(alice.remove("bob").await.to_string(), "204 -");
    for path in ["/api/rooms/lobby", "/api/rooms/lobby/messages"] {
        assert_eq!(bob.get(path).await.to_string(), "403 -");
    }
    assert_eq!(bob.say("still here").await.to_string(), "403 -");
    assert_eq!(bob.get("/api/rooms").await.to_string(), "200 []");
    assert_eq!(alice.remove("bob").await.to_string(), "204 -");
    assert_eq!(affiliations(&app, "alice").await, ["bob@localhost member", "bob@localhost none"]);
    alice.invite("lobby", "bob@localhost").await;
    assert_eq!(bob.get("/api/rooms/lobby/messages").await.body.as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_member_removes_nobody_but_themselves() {
    let app = TestApp::with_lobby(&["alice", "bob", "carol"]).await;
    let bob = app.as_participant("bob");
    for other in ["alice", "carol", "nobody"] {
        assert_eq!(bob.remove(other).await.to_string(), "403 -");
    }
    assert_eq!(
        bob.delete("/api/rooms/lobby@muclight.localhost/users/BOB%40LocalHost%2Fphone").await.to_string(),
        "204 -"
    );
    assert_eq!(bob.remove("bob").await.to_string(), "403 -");
    assert_eq!(app.as_participant("alice").who().await, "alice* carol");
}

#[tokio::test]
async fn removing_an_absent_user_succeeds_but_an_invalid_jid_is_not_found() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let alice = app.as_participant("alice");
    assert_eq!(alice.remove("nobody").await.to_string(), "204 -");
    assert_eq!(alice.delete("/api/rooms/lobby/users/no-jid").await.to_string(), "404 -");
    let bob = app.as_participant("bob");
    assert_eq!(bob.delete("/api/rooms/lobby/users/no-jid").await.to_string(), "403 -");
    assert_eq!(app.as_participant("alice").who().await, "alice* bob");
}

#[tokio::test]
async fn the_first_remaining_member_becomes_owner_when_the_owner_leaves() {
    let app = TestApp::with_lobby(&["mia", "zoe", "bob", "alice"]).await;
    assert_eq!(app.as_participant("mia").remove("mia").await.to_string(), "204 -");
    let alice = app.as_participant("alice");
    assert_eq!(alice.who().await, "alice* bob zoe");
    let list = affiliations(&app, "bob").await;
    assert_eq!(list[3..], ["mia@localhost none", "alice@localhost owner"]);
    assert_eq!(alice.invite("lobby", "mia@localhost").await.status, 204);
    assert_eq!(app.as_participant("mia").invite("lobby", "eve@localhost").await.status, 403);
    alice.remove("alice").await;
    assert_eq!(app.as_participant("bob").who().await, "bob* mia zoe");
}

#[tokio::test]
async fn the_next_owner_is_chosen_by_local_part_first() {
    let app = TestApp::with_lobby(&["mia", "b-x"]).await;
    app.as_participant("mia").invite("lobby", "b@zzz").await;
    app.as_participant("mia").remove("mia").await;
    assert_eq!(app.as_participant("b-x").who().await, "b@zzz* b-x");
}

#[tokio::test]
async fn the_last_to_leave_ends_the_room() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    alice.say("secret").await;
    alice.remove("alice").await;
    assert_eq!(bob.remove("bob").await.to_string(), "204 -");
    for caller in [&alice, &bob] {
        assert_eq!(caller.get("/api/rooms/lobby").await.to_string(), "404 -");
        assert_eq!(caller.get("/api/rooms/lobby/messages").await.to_string(), "404 -");
        assert_eq!(caller.say("Hi").await.to_string(), "404 -");
        assert_eq!(caller.remove("bob").await.to_string(), "404 -");
        assert_eq!(caller.get("/api/rooms").await.to_string(), "200 []");
    }
    // Another room. It has only its creator, and no message was sent.
    assert_eq!(bob.put("/api/rooms/lobby", json!({ "name": "New", "subject": "S" })).await.status, 201);
    assert_eq!(bob.get("/api/rooms/lobby/messages").await.to_string(), "200 []");
    assert_eq!(alice.get("/api/rooms/lobby/messages").await.to_string(), "403 -");
}

#[tokio::test]
async fn housekeeping_deletes_the_archive_of_an_ended_room() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    bob.put("/api/rooms/other", json!({ "name": "Other", "subject": "S" })).await;
    bob.post("/api/rooms/other/messages", json!({ "body": "kept" })).await;
    for number in 0..60 {
        app.wait(Duration::from_millis(1));
        alice.say(&format!("word {number}")).await;
    }
    bob.remove("bob").await;
    alice.remove("alice").await;
    let left = async |text: &str| app.items().await.iter().filter(|item| item.contains(text)).count();
    assert_eq!(left("word ").await, 60);
    // The archive is kept for a day, for listeners who reconnect.
    app.keep_house().await;
    assert_eq!(left("word ").await, 60);
    app.wait(Duration::from_hours(24) + Duration::from_secs(1));
    // Each run gets a little more time, until one part of the archive is deleted.
    for looks in 1.. {
        let looked = AtomicUsize::new(0);
        let in_time = || looked.fetch_add(1, Ordering::SeqCst) < looks;
        app.acting_as("housekeeping", greenroom_housekeeping::run(&app.shared, &in_time)).await.unwrap();
        if left("word ").await < 60 {
            break;
        }
    }
    assert!(left("word ").await > 0);
    app.keep_house().await;
    assert_eq!((left("word ").await, left("JOBS#").await, left("kept").await), (0, 0, 1));
    assert_eq!(bob.get("/api/rooms/other/messages").await.body[0]["body"], "kept");
}

#[tokio::test]
async fn a_deleted_user_leaves_their_rooms() {
    let app = TestApp::with_lobby(&["alice", "bob", "carol"]).await;
    app.as_participant("alice").put("/api/rooms/own", json!({ "name": "Own", "subject": "S" })).await;
    let (alice, admin) = (app.store.user_named("alice").await.unwrap().unwrap().id, app.admin().await);
    app.wait(Duration::from_secs(1));
    let deleted = app.organiser(&admin).delete(&format!("/api/v2/users/{alice}/")).await;
    assert_eq!(deleted.to_string(), "204 -");
    let bob = app.as_participant("bob");
    assert_eq!(bob.who().await, "bob* carol");
    assert_eq!(affiliations(&app, "bob").await[2..], ["alice@localhost none", "bob@localhost owner"]);
    assert_eq!(bob.get("/api/rooms/own").await.status, 404);
    // The next user with this name is not a member.
    app.participants(&["alice"]).await;
    assert_eq!(app.as_participant("alice").get("/api/rooms").await.to_string(), "200 []");
    assert_eq!(app.as_participant("alice").get("/api/rooms/lobby").await.status, 403);
}

#[rstest]
#[case::at_once(true)]
#[case::by_housekeeping(false)]
#[tokio::test]
async fn a_deleted_user_leaves_only_the_copies_that_belong_to_others(#[case] at_once: bool) {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    let invite = json!({ "action": "invite" });
    assert_eq!(alice.post("/api/contacts", json!({ "jid": "bob@localhost" })).await.status, 204);
    assert_eq!(alice.put("/api/contacts/bob@localhost", invite).await.status, 204);
    assert_eq!(bob.put("/api/contacts/alice@localhost", json!({ "action": "accept" })).await.status, 204);
    app.send_all("alice", "bob", 0..130).await;
    app.send_all("bob", "alice", ["Hi"]).await;
    app.send_all("alice", "nobody", ["Hello?"]).await;
    let (id, admin) = (app.store.user_named("alice").await.unwrap().unwrap().id, app.admin().await);
    if at_once {
        let deleted = app.organiser(&admin).delete(&format!("/api/v2/users/{id}/")).await;
        assert_eq!(deleted.status, 204, "{deleted}");
    } else {
        let user = app.store.record(id).await.unwrap().unwrap();
        app.store.remove_user(user, app.clock.now()).await.unwrap().unwrap();
        assert_eq!(app.jobs().await, 1);
        app.wait(LEASE);
        app.keep_house().await;
    }
    assert_eq!(app.jobs().await, 0);
    let items = app.items().await;
    for left in [format!("\"ARCHIVE#{id}\""), format!("\"ARCHIVE#{id}/"), format!("\"ROSTER#{id}\"")] {
        assert!(!items.iter().any(|item| item.contains(&left)), "{left}");
    }
    assert_eq!(bob.who().await, "bob*");
    let contacts = bob.get("/api/contacts").await.body;
    assert_eq!(contacts, json!([{ "jid": "alice@localhost", "subscription": "none", "ask": "none" }]));
    assert_eq!(bob.get("/api/messages?limit=500").await.body.as_array().unwrap().len(), 131);
}

/// The deletion stopped before the user left their rooms.
#[tokio::test]
async fn a_new_account_with_a_deleted_users_name_is_in_none_of_their_rooms() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let former = app.store.user_named("bob").await.unwrap().unwrap().id;
    let former = app.store.record(former).await.unwrap().unwrap();
    app.store.remove_user(former, app.clock.now()).await.unwrap().unwrap();
    app.participants(&["bob"]).await;
    let (alice, bob) = (app.as_participant("alice"), app.as_participant("bob"));
    for path in ["/api/rooms/lobby", "/api/rooms/lobby/messages"] {
        assert_eq!(bob.get(path).await.to_string(), "403 -");
    }
    assert_eq!(bob.say("Hi").await.to_string(), "403 -");
    assert_eq!(bob.remove("bob").await.to_string(), "403 -");
    assert_eq!(bob.get("/api/rooms").await.to_string(), "200 []");
    assert_eq!(alice.invite("lobby", "bob@localhost").await.status, 204);
    assert_eq!(bob.who().await, "alice* bob");
    assert_eq!(bob.get("/api/rooms").await.body[0]["id"], "lobby");
}

#[tokio::test]
async fn a_user_invited_before_signing_up_is_in_the_room_once_they_have_an_account() {
    let app = TestApp::with_lobby(&["alice"]).await;
    app.as_participant("alice").invite("lobby", "bob@localhost").await;
    app.participants(&["bob"]).await;
    assert_eq!(app.as_participant("bob").who().await, "alice* bob");
    assert_eq!(app.as_participant("bob").say("Hi").await.status, 200);
}

#[tokio::test]
async fn memberships_record_when_they_changed() {
    let app = TestApp::with_lobby(&["alice", "bob"]).await;
    let bob = app.store.user_named("bob").await.unwrap().unwrap().id;
    let jid = greenroom_core::model::Jid::of("bob", "localhost").unwrap();
    let state = async || {
        let memberships = app.store.memberships(&jid, bob).await.unwrap();
        let since: Vec<_> = memberships.iter().map(|membership| membership.since.millis()).collect();
        (app.store.memberships_revision(&jid).await.unwrap(), since)
    };
    assert_eq!(state().await, (1, vec![NOW]));
    let alice = app.as_participant("alice");
    alice.say("Hi").await;
    alice.invite("lobby", "bob@localhost").await;
    assert_eq!(state().await, (1, vec![NOW]));
    alice.remove("bob").await;
    assert_eq!(state().await, (2, vec![]));
    app.wait(Duration::from_secs(1));
    alice.invite("lobby", "bob@localhost").await;
    assert_eq!(state().await, (3, vec![NOW + 1000]));
}
