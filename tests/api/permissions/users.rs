//! The lines of the table about users.

use greenroom_core::model::user::Role::{self, Admin, Manager, Partner};
use serde_json::{Value, json};

use super::{NOBODY, ask};
use crate::{organisers::Account, support::TestApp};

/// The user of a request: the caller himself, another admin, a partner, a manager he created, a manager somebody else
/// created, a partner he created, a user who does not exist.
type Targets<T> = [T; 7];

/// The answers of an endpoint to each role.
struct Line {
    endpoint: &'static str,
    admin: Targets<u16>,
    partner: Targets<u16>,
    manager: Targets<u16>,
}

impl Line {
    fn roles(&self) -> [(Role, Targets<u16>); 3] {
        [(Admin, self.admin), (Partner, self.partner), (Manager, self.manager)]
    }
}

const TABLE: &[Line] = &[
    Line {
        endpoint: "GET",
        admin: [200, 200, 200, 200, 200, 200, 404],
        partner: [200, 404, 404, 200, 404, 200, 404],
        manager: [200, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "PUT",
        admin: [200, 200, 200, 200, 200, 200, 404],
        partner: [200, 404, 404, 200, 404, 403, 404],
        manager: [200, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "PATCH",
        admin: [200, 200, 200, 200, 200, 200, 404],
        partner: [200, 404, 404, 200, 404, 403, 404],
        manager: [200, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "DELETE",
        admin: [403, 204, 204, 204, 204, 204, 404],
        partner: [403, 404, 404, 204, 404, 403, 404],
        manager: [403, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "password_change",
        admin: [204, 403, 403, 403, 403, 403, 404],
        partner: [204, 404, 404, 403, 404, 403, 404],
        manager: [204, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "password_set",
        admin: [403, 403, 204, 204, 204, 204, 404],
        partner: [403, 404, 404, 204, 404, 403, 404],
        manager: [403, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "block",
        admin: [403, 403, 204, 204, 204, 204, 404],
        partner: [403, 404, 404, 204, 404, 403, 404],
        manager: [403, 404, 404, 404, 404, 404, 404],
    },
    Line {
        endpoint: "unblock",
        admin: [403, 403, 204, 204, 204, 204, 404],
        partner: [403, 404, 404, 204, 404, 403, 404],
        manager: [403, 404, 404, 404, 404, 404, 404],
    },
];

struct World {
    app: TestApp,
    caller: Account,
    targets: Targets<u64>,
}

impl World {
    async fn of(role: Role) -> Self {
        let app = TestApp::new().await;
        let root = app.admin().await.id;
        let caller = app.account("caller", role, Some(root)).await;
        let partner = app.account("partner", Partner, Some(root)).await.id;
        let targets = [
            caller.id,
            app.account("boss", Admin, Some(root)).await.id,
            partner,
            app.account("his", Manager, Some(caller.id)).await.id,
            app.account("theirs", Manager, Some(partner)).await.id,
            app.account("junior", Partner, Some(caller.id)).await.id,
            NOBODY,
        ];
        app.give_passwords(&targets[..6], "long enough").await;
        Self { app, caller, targets }
    }

    async fn ask(&self, endpoint: &str, target: usize) -> u16 {
        let caller = self.app.again(&self.caller).await;
        let caller = self.app.organiser(&caller);
        let path = format!("/api/v2/users/{}/", self.targets[target]);
        let unchanged = self.app.store.record(self.targets[target]).await.unwrap();
        let unchanged = unchanged.map(|user| serde_json::to_value::<greenroom_core::model::User>(user.record).unwrap());
        let unchanged = unchanged.unwrap_or_else(|| json!({ "username": "nobody", "role": "manager" }));
        match endpoint {
            "GET" | "DELETE" => ask(&caller, endpoint, &path, &Value::Null).await,
            "PUT" => ask(&caller, endpoint, &path, &unchanged).await,
            "PATCH" => ask(&caller, endpoint, &path, &json!({ "firstName": "Ada" })).await,
            action => {
                let body = json!({ "oldPw": "long enough", "newPw": "another one", "newPwRepeat": "another one" });
                ask(&caller, "POST", &format!("{path}{action}/"), &body).await
            }
        }
    }
}

#[tokio::test]
async fn access_to_users_follows_the_table() {
    for line in TABLE {
        for (role, expected) in line.roles() {
            let world = World::of(role).await;
            let mut answered = [0; 7];
            for (target, status) in answered.iter_mut().enumerate() {
                *status = world.ask(line.endpoint, target).await;
            }
            assert_eq!(answered, expected, "{} by {role:?}", line.endpoint);
        }
    }
}

#[tokio::test]
async fn user_lists_contain_what_the_caller_can_read() {
    for (role, expected) in TABLE[0].roles() {
        let World { app, caller, targets } = World::of(role).await;
        let list = app.organiser(&caller).get("/api/v2/users/").await.body;
        let listed: Vec<_> = list["results"].as_array().unwrap().iter().map(|user| user["id"].as_u64()).collect();
        for (target, status) in targets.into_iter().zip(expected) {
            assert_eq!(listed.contains(&Some(target)), status == 200, "{target} in the list of {role:?}");
        }
        assert_eq!(list["count"], listed.len());
    }
}

#[tokio::test]
async fn an_admin_makes_users_of_every_role_for_every_creator() {
    let World { app, caller, targets } = World::of(Admin).await;
    for role in ["admin", "partner", "manager"] {
        for creator in [json!(null), json!(targets[2]), json!(targets[3].to_string())] {
            let body = json!({ "username": format!("{role} of {creator}"), "role": role, "creator": creator });
            let answer = app.organiser(&caller).post("/api/v2/users/", body).await;
            assert_eq!((answer.status.as_u16(), &answer.body["role"]), (201, &json!(role)));
            let creator = creator.as_str().map_or(creator.clone(), |text| json!(text.parse::<u64>().unwrap()));
            assert_eq!(answer.body["creator"], creator);
        }
    }
    let answer = app.organiser(&caller).post("/api/v2/users/", json!({ "username": "own", "role": "partner" })).await;
    assert_eq!(answer.body["creator"], caller.id);
}

#[tokio::test]
async fn a_partner_always_creates_managers_of_his_own() {
    let World { app, caller, targets } = World::of(Partner).await;
    for (role, creator) in [("admin", json!(null)), ("partner", json!(targets[1])), ("manager", json!(NOBODY))] {
        let body = json!({ "username": format!("a {role}"), "role": role, "creator": creator, "blocked": true });
        let answer = app.organiser(&caller).post("/api/v2/users/", body).await;
        assert_eq!(answer.status, 201);
        assert_eq!((&answer.body["role"], &answer.body["creator"]), (&json!("manager"), &json!(caller.id)));
        assert_eq!(answer.body["blocked"], false);
    }
}

#[tokio::test]
async fn a_manager_cannot_create_users() {
    let World { app, caller, .. } = World::of(Manager).await;
    let manager = app.organiser(&caller);
    assert_eq!(ask(&manager, "POST", "/api/v2/users/", &json!({ "username": "x", "role": "manager" })).await, 403);
    // The body is not looked at.
    assert_eq!(manager.post_text("/api/v2/users/", "{").await.status, 403);
    let headers = [("content-type", "text/plain")];
    assert_eq!(manager.send("POST", "/api/v2/users/", &headers, "x".into()).await.status, 403);
}
