//! Rules that hold for every caller and every request.

use std::sync::LazyLock;

use greenroom_core::model::{
    User,
    user::Role::{Admin, Manager, Partner},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use crate::{organisers::Account, support::TestApp};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A caller's request about a user.
#[derive(Clone, Debug)]
struct Attempt {
    /// The indices of the caller and of the user that the request is about.
    by: usize,
    of: usize,
    endpoint: &'static str,
    body: Value,
}

fn attempt() -> impl Strategy<Value = Attempt> {
    let endpoint =
        select(vec!["POST", "PUT", "PATCH", "DELETE", "password_change", "password_set", "block", "unblock"]);
    let role = select(vec![json!("admin"), json!("partner"), json!("manager"), json!("ADMIN"), json!(null)]);
    let creator = select(vec![json!(1), json!(2), json!("3"), json!(4), json!(null), json!([1])]);
    let body = (role, creator, any::<bool>(), "[a-z]{3}").prop_map(|(role, creator, says_creator, username)| {
        let mut body =
            json!({ "username": username, "role": role, "id": 1, "blocked": false, "password": "long enough" });
        body.as_object_mut().unwrap().extend(
            json!({ "oldPw": "long enough", "newPw": "another one", "newPwRepeat": "another one" })
                .as_object()
                .unwrap()
                .clone(),
        );
        if says_creator {
            body["creator"] = creator;
        }
        body
    });
    // The first two are admins, so the caller is none of them.
    (2..5_usize, 0..6_usize, endpoint, body).prop_map(|(by, of, endpoint, body)| Attempt { by, of, endpoint, body })
}

async fn people(app: &TestApp) -> Vec<Account> {
    let root = app.admin().await;
    let boss = app.account("boss", Admin, Some(root.id)).await;
    let partner = app.account("partner", Partner, Some(root.id)).await;
    let manager = app.account("manager", Manager, Some(partner.id)).await;
    // An admin whose creator is recorded as a partner.
    let deputy = app.account("deputy", Admin, Some(partner.id)).await;
    let other = app.account("other", Partner, Some(root.id)).await;
    vec![root, boss, partner, manager, other, deputy]
}

/// The admins with all that is stored about them.
async fn admins(app: &TestApp, ids: &[u64]) -> Vec<(User, bool)> {
    let mut admins = Vec::new();
    for id in ids {
        if let Some(user) = app.store.record::<User>(*id).await.unwrap().filter(|user| user.record.role == Admin) {
            admins.push((user.record, app.store.password_hash(*id).await.unwrap().is_some()));
        }
    }
    admins
}

async fn try_it(app: &TestApp, people: &[Account], attempt: &Attempt) -> u16 {
    let caller = app.organiser(&people[attempt.by]);
    let path = format!("/api/v2/users/{}/", people[attempt.of].id);
    let answer = match attempt.endpoint {
        "POST" => caller.post("/api/v2/users/", attempt.body.clone()).await,
        "PUT" => caller.put(&path, attempt.body.clone()).await,
        "PATCH" => caller.patch(&path, attempt.body.clone()).await,
        "DELETE" => caller.delete(&path).await,
        action => caller.post(&format!("{path}{action}/"), attempt.body.clone()).await,
    };
    answer.status.as_u16()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_an_admin_creates_or_changes_an_admin(attempts in prop::collection::vec(attempt(), 1..16)) {
        RUNTIME.block_on(async {
            let app = TestApp::new().await;
            let people = people(&app).await;
            let ids: Vec<_> = (1..40).collect();
            let before = admins(&app, &ids).await;
            for attempt in &attempts {
                assert!(try_it(&app, &people, attempt).await < 500, "{attempt:?}");
            }
            assert!(admins(&app, &ids).await == before, "{attempts:?}");
        });
    }
}

/// Any JSON, not nested too deeply.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        select(vec!["admin", "1", "", " ", "\u{0}", "a@b.c", "true", "routed"]).prop_map(Value::from),
        Just(Value::from("x".repeat(5_000))),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map("[a-z]{0,3}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// All fields that the endpoints read, each with any value.
fn any_form() -> impl Strategy<Value = Value> {
    let fields = [
        "username",
        "role",
        "email",
        "firstName",
        "creator",
        "password",
        "oldPw",
        "newPw",
        "newPwRepeat",
        "token",
        "name",
        "mobile",
        "owner",
        "managers",
        "disabled",
        "logo",
        "event",
        "language",
        "isFloor",
        "mode",
        "archive",
        "tokenType",
        "locationHint",
    ];
    let fields = prop::collection::hash_map(select(fields.to_vec()), any_json(), 0..12);
    let object = |fields: std::collections::HashMap<&str, Value>| {
        Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
    };
    prop_oneof![4 => fields.prop_map(object), 1 => any_json()]
}

/// All endpoints of this API that read a form.
const FORMS: &[(&str, &str)] = &[
    ("POST", "users"),
    ("PUT", "users/2"),
    ("PATCH", "users/2"),
    ("POST", "users/1/password_change"),
    ("POST", "users/2/password_set"),
    ("POST", "token-auth/obtain"),
    ("POST", "token-auth/refresh"),
    ("POST", "apitokens"),
    ("POST", "events"),
    ("PATCH", "events/1"),
    ("POST", "sessions"),
    ("POST", "logintokens"),
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_form_is_answered_with_an_expected_status_and_an_error_object(form in any_form()) {
        RUNTIME.block_on(async {
            let app = TestApp::new().await;
            let admin = app.admin().await;
            app.account("boss", Manager, None).await;
            app.organiser(&admin).make_event("show").await;
            for (method, path) in FORMS {
                let headers = [("content-type", "application/json")];
                let body = form.to_string().into();
                let answer = app.organiser(&admin).send(method, &format!("/api/v2/{path}"), &headers, body).await;
                let status = answer.status.as_u16();
                assert!(matches!(status, 200 | 201 | 204 | 400 | 403), "{method} {path}: {answer}");
                assert!(status != 400 || answer.body.is_object(), "{method} {path}: {answer}");
            }
        });
    }
}
