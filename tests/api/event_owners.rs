//! Who owns and who manages an event.

use greenroom_core::model::user::Role;
use serde_json::json;

use crate::support::TestApp;

const EVENTS: &str = "/api/v2/events/";

#[tokio::test]
async fn a_manager_may_own_what_they_manage() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let manager = app.account("manager", Role::Manager, None).await;
    let caller = app.organiser(&admin);
    let body = json!({ "name": "A", "owner": manager.id, "managers": [manager.id] });
    let made = caller.post(EVENTS, body).await;
    assert_eq!(made.status, 201, "{made}");
    let path = format!("{EVENTS}{}/", made.body["id"]);
    assert_eq!(app.organiser(&manager).get(EVENTS).await.body["count"], 1);
    for change in [
        json!({ "owner": admin.id, "managers": [] }),
        json!({ "owner": manager.id, "managers": [manager.id] }),
        json!({ "owner": admin.id }),
        json!({ "owner": manager.id, "managers": [] }),
        json!({ "managers": [manager.id], "owner": admin.id }),
        json!({ "owner": manager.id }),
    ] {
        let answer = caller.patch(&path, change.clone()).await;
        assert_eq!(answer.status, 200, "{change} {answer}");
        for (field, value) in change.as_object().unwrap() {
            assert_eq!(answer.body[field], *value);
        }
    }
    assert_eq!(caller.delete(&path).await.status, 204);
    // No item still refers to either of them.
    assert_eq!(caller.delete(&format!("/api/v2/users/{}/", manager.id)).await.status, 204);
}

#[tokio::test]
async fn managers_change_one_by_one_and_each_new_manager_sees_the_event_at_once() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let mut managers = Vec::new();
    for index in 0..4 {
        managers.push(app.account(&format!("manager{index}"), Role::Manager, None).await);
    }
    let ids: Vec<_> = managers.iter().map(|manager| manager.id).collect();
    let path = format!("{EVENTS}{}/", caller.make(EVENTS, json!({ "name": "A", "managers": &ids[..2] })).await);
    for change in [vec![0, 1], vec![1, 2], vec![], vec![3, 0], vec![0, 3], vec![0, 1, 2, 3]] {
        let wanted: Vec<_> = change.iter().map(|index| ids[*index]).collect();
        assert_eq!(caller.patch(&path, json!({ "managers": wanted })).await.body["managers"], json!(wanted));
        for (index, manager) in managers.iter().enumerate() {
            let sees = change.contains(&index);
            assert_eq!(app.organiser(manager).get(&path).await.status, if sees { 200 } else { 404 });
            assert_eq!(app.organiser(manager).get(EVENTS).await.body["count"], u64::from(sees));
        }
    }
    // A user with no event left can become a partner or be deleted.
    let partner = app.account("partner", Role::Partner, None).await;
    for wrong in [partner.id, 99] {
        let answer = caller.patch(&path, json!({ "managers": [ids[0], wrong] })).await;
        let message = format!("Invalid pk \"{wrong}\" - object does not exist.");
        assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ "managers": [message] })));
    }
}

#[tokio::test]
async fn forty_managers_can_be_changed_for_forty_others() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for index in 0..80 {
        ids.push(app.account(&format!("manager{index}"), Role::Manager, None).await.id);
    }
    let caller = app.organiser(&admin);
    let body = json!({ "name": "A", "managers": &ids[..40] });
    let path = format!("{EVENTS}{}/", caller.make(EVENTS, body).await);
    let changed = caller.patch(&path, json!({ "managers": &ids[40..], "name": "B", "owner": ids[0] })).await;
    assert_eq!((changed.status.as_u16(), &changed.body["managers"]), (200, &json!(&ids[40..])), "{changed}");
    let answer = caller.patch(&path, json!({ "managers": &ids[..41] })).await;
    let message = "Ensure this field has no more than 40 elements.";
    assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ "managers": [message] })));
    assert_eq!(caller.delete(&path).await.status, 204);
}
