//! The rules below the table.

use greenroom_core::model::user::Role::{Admin, Manager, Partner};
use serde_json::{Value, json};

use super::forbidden;
use crate::{
    organisers::Account,
    support::{Answer, TestApp},
};

/// A partner's event with a manager of his, and an admin.
struct World {
    app: TestApp,
    admin: Account,
    partner: Account,
    manager: Account,
    event: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let admin = app.admin().await;
        let partner = app.account("partner", Partner, Some(admin.id)).await;
        let manager = app.account("manager", Manager, Some(partner.id)).await;
        let body = json!({ "name": "show", "managers": [manager.id] });
        let event = app.organiser(&partner).make("/api/v2/events/", body).await;
        Self { app, admin, partner, manager, event: format!("/api/v2/events/{event}/") }
    }

    async fn patch_event(&self, account: &Account, body: Value) -> Answer {
        self.app.organiser(account).patch(&self.event, body).await
    }

    /// Gets an object, and puts it back unchanged.
    async fn put_back(&self, account: &Account, path: &str) -> Answer {
        let caller = self.app.organiser(account);
        let got = caller.get(path).await;
        assert_eq!(got.status, 200);
        let answer = caller.put(path, got.body.clone()).await;
        assert_eq!(answer.body, got.body);
        answer
    }
}

fn user(id: u64) -> String {
    format!("/api/v2/users/{id}/")
}

#[tokio::test]
async fn an_object_can_be_put_back_as_it_was_read() {
    let world = World::new().await;
    let World { admin, partner, manager, .. } = &world;
    for account in [admin, partner, manager] {
        assert_eq!(world.put_back(account, &world.event).await.status, 200);
        assert_eq!(world.put_back(account, &user(account.id)).await.status, 200);
    }
    assert_eq!(world.put_back(partner, &user(manager.id)).await.status, 200);
}

#[tokio::test]
async fn the_order_of_managers_does_not_matter() {
    let world = World::new().await;
    let second = world.app.account("second", Manager, Some(world.partner.id)).await;
    let both = [json!([world.manager.id, second.id]), json!([second.id, world.manager.id])];
    assert_eq!(world.patch_event(&world.partner, json!({ "managers": both[0] })).await.status, 200);
    assert_eq!(world.patch_event(&world.manager, json!({ "managers": both[1] })).await.status, 200);
    assert_eq!(world.patch_event(&world.manager, json!({ "managers": [second.id] })).await.body, forbidden());
    let twice = json!([second.id, second.id]);
    assert_eq!(world.patch_event(&world.manager, json!({ "managers": twice })).await.body, forbidden());
}

#[tokio::test]
async fn only_admins_change_role_and_creator() {
    let World { app, admin, partner, manager, .. } = World::new().await;
    for (caller, target) in [(&partner, &partner), (&partner, &manager), (&manager, &manager)] {
        for change in [json!({ "role": "admin" }), json!({ "creator": target.id }), json!({ "creator": 99 })] {
            let caller = app.organiser(caller);
            let answer = caller.patch(&user(target.id), change.clone()).await;
            assert_eq!((answer.status.as_u16(), answer.body), (403, forbidden()), "{change}");
            let mut whole = caller.get(&user(target.id)).await.body;
            whole.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            let answer = caller.put(&user(target.id), whole).await;
            assert_eq!((answer.status.as_u16(), answer.body), (403, forbidden()), "{change}");
        }
    }
    let change = json!({ "role": "partner", "creator": null });
    let changed = app.organiser(&admin).patch(&user(manager.id), change).await;
    assert_eq!((changed.status.as_u16(), &changed.body["role"]), (200, &json!("partner")));
    assert_eq!(changed.body["creator"], json!(null));
    assert_eq!(app.organiser(&partner).get(&user(manager.id)).await.status, 404);
    let change = json!({ "creator": partner.id });
    assert_eq!(app.organiser(&admin).patch(&user(manager.id), change).await.body["creator"], partner.id);
    assert_eq!(app.organiser(&partner).get(&user(manager.id)).await.status, 200);
}

#[tokio::test]
async fn a_partner_who_clears_a_managers_creator_is_refused() {
    let World { app, partner, manager, .. } = World::new().await;
    let answer = app.organiser(&partner).patch(&user(manager.id), json!({ "creator": null })).await;
    assert_eq!(answer.body, forbidden());
}

#[tokio::test]
async fn only_admins_change_the_owner_of_an_event_and_managers_cannot_change_its_managers() {
    let world = World::new().await;
    let other = world.app.account("other", Partner, None).await;
    for owner in [json!(other.id), json!(world.manager.id), json!(99)] {
        assert_eq!(world.patch_event(&world.partner, json!({ "owner": owner })).await.body, forbidden());
        assert_eq!(world.patch_event(&world.manager, json!({ "owner": owner })).await.body, forbidden());
    }
    for managers in [json!([]), json!([99]), json!([world.manager.id, other.id])] {
        assert_eq!(world.patch_event(&world.manager, json!({ "managers": managers })).await.body, forbidden());
    }
    let moved = world.patch_event(&world.admin, json!({ "owner": other.id })).await;
    assert_eq!((moved.status.as_u16(), &moved.body["owner"]), (200, &json!(other.id)));
    assert_eq!(world.patch_event(&world.partner, json!({})).await.status, 404);
    assert_eq!(world.patch_event(&other, json!({ "managers": [] })).await.status, 200);
    assert_eq!(world.patch_event(&world.manager, json!({})).await.status, 404);
}

#[tokio::test]
async fn a_partner_chooses_managers_of_his_own() {
    let World { app, admin, partner, manager, .. } = World::new().await;
    let theirs = app.account("theirs", Manager, Some(admin.id)).await;
    let junior = app.account("junior", Partner, Some(partner.id)).await;
    for id in [theirs.id, junior.id, partner.id, admin.id, 99] {
        let body = json!({ "name": "new", "managers": [manager.id, id] });
        let answer = app.organiser(&partner).post("/api/v2/events/", body).await;
        let text = format!("Invalid pk \"{id}\" - object does not exist.");
        assert_eq!((answer.status.as_u16(), answer.body), (400, json!({ "managers": [text] })));
    }
    let body = json!({ "name": "new", "managers": [manager.id, theirs.id] });
    assert_eq!(app.organiser(&admin).post("/api/v2/events/", body).await.status, 201);
    let body = json!({ "name": "newer", "managers": [partner.id] });
    assert_eq!(app.organiser(&admin).post("/api/v2/events/", body).await.status, 400);
}

#[tokio::test]
async fn managers_assigned_by_an_admin_stay_even_if_the_owner_cannot_see_them() {
    let world = World::new().await;
    let theirs = world.app.account("theirs", Manager, Some(world.admin.id)).await;
    let managers = json!([world.manager.id, theirs.id]);
    assert_eq!(world.patch_event(&world.admin, json!({ "managers": managers })).await.status, 200);
    assert_eq!(world.put_back(&world.partner, &world.event).await.status, 200);
    assert_eq!(world.put_back(&world.manager, &world.event).await.status, 200);
}

#[tokio::test]
async fn any_admin_may_set_the_first_password_of_an_admin() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let boss = app.account("boss", Admin, None).await;
    let set = |id: u64, password: &str| {
        let body = json!({ "newPw": password });
        let (app, admin) = (app.clone(), admin.clone());
        async move {
            let admin = app.again(&admin).await;
            app.organiser(&admin).post(&format!("{}password_set/", user(id)), body).await.status.as_u16()
        }
    };
    // A refused password leaves the admin without one.
    assert_eq!(set(boss.id, "short").await, 400);
    assert_eq!([set(boss.id, "long enough").await, set(boss.id, "longer still").await], [204, 403]);
    assert_eq!([set(admin.id, "long enough").await, set(admin.id, "longer still").await], [204, 403]);
    for username in ["boss", "admin"] {
        let body = json!({ "username": username, "password": "long enough" });
        assert_eq!(app.anyone().post("/api/v2/token-auth/obtain/", body).await.status, 200);
    }
}

#[tokio::test]
async fn partners_and_managers_cannot_set_a_first_password_for_others() {
    let World { app, partner, manager, .. } = World::new().await;
    let junior = app.account("junior", Partner, Some(partner.id)).await;
    let body = || json!({ "newPw": "long enough" });
    for (caller, target, status) in
        [(&partner, &partner, 403), (&partner, &junior, 403), (&manager, &manager, 403), (&manager, &partner, 404)]
    {
        let path = format!("{}password_set/", user(target.id));
        assert_eq!(app.organiser(caller).post(&path, body()).await.status, status);
    }
}

#[tokio::test]
async fn an_owner_of_events_cannot_be_deleted_and_a_deleted_user_is_removed_everywhere() {
    let World { app, admin, partner, manager, event } = World::new().await;
    let admin = app.organiser(&admin);
    let answer = admin.delete(&user(partner.id)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, json!({ "nonFieldErrors": ["This user still owns events."] }));
    assert_eq!(app.organiser(&partner).delete(&user(manager.id)).await.status, 204);
    assert_eq!(admin.get(&event).await.body["managers"], json!([]));
    assert_eq!(admin.get(&format!("/api/v2/events/?managers={}", manager.id)).await.body["count"], 0);
    let second = app.account("second", Manager, Some(partner.id)).await;
    assert_eq!(admin.delete(&event).await.status, 204);
    assert_eq!(
        [admin.delete(&user(partner.id)).await.status, admin.delete(&user(partner.id)).await.status],
        [204, 404]
    );
    assert_eq!(admin.get(&user(second.id)).await.body["creator"], json!(null));
    let list = admin.get("/api/v2/users/").await.body;
    let shown = list["results"].as_array().unwrap().iter().find(|user| user["id"] == second.id).unwrap();
    assert_eq!(shown["creator"], json!(null));
    // The name is free again. Its next owner is a different user.
    let body = json!({ "username": "PARTNER", "role": "partner" });
    assert_ne!(admin.make("/api/v2/users/", body).await, partner.id);
}

#[tokio::test]
async fn blocking_is_idempotent_and_ignores_the_body() {
    let World { app, admin, partner, manager, .. } = World::new().await;
    let partner = app.organiser(&partner);
    let path = user(manager.id);
    for (action, blocked) in [("block", true), ("block", true), ("unblock", false), ("unblock", false)] {
        let path = format!("{path}{action}/");
        for body in ["", "{", "[]", r#"{"blocked":"x"}"#] {
            let answer = partner.send("POST", &path, &[("content-type", "text/plain")], body.into()).await;
            assert_eq!(answer.to_string(), "204 -");
        }
        assert_eq!(app.organiser(&admin).get(&user(manager.id)).await.body["blocked"], blocked);
    }
}

#[tokio::test]
async fn the_blocked_field_is_read_only() {
    let World { app, admin, manager, .. } = World::new().await;
    let answer = app.organiser(&admin).patch(&user(manager.id), json!({ "blocked": true, "id": 99 })).await;
    assert_eq!((&answer.body["blocked"], &answer.body["id"]), (&json!(false), &json!(manager.id)));
}

#[tokio::test]
async fn an_owner_may_manage_his_event_too() {
    let World { app, admin, manager, .. } = World::new().await;
    let admin = app.organiser(&admin);
    let body = json!({ "name": "both", "owner": manager.id, "managers": [manager.id] });
    let event = format!("/api/v2/events/{}/", admin.make("/api/v2/events/", body).await);
    assert_eq!(app.organiser(&manager).get(&event).await.status, 200);
    let other = app.account("other", Partner, None).await;
    let change = json!({ "owner": other.id, "managers": [] });
    assert_eq!(admin.patch(&event, change).await.status, 200);
    let back = json!({ "owner": manager.id, "managers": [manager.id] });
    assert_eq!(admin.patch(&event, back).await.status, 200);
    assert_eq!(admin.delete(&event).await.status, 204);
    assert_eq!(admin.delete(&user(manager.id)).await.status, 204);
}
