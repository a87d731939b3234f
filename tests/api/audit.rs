//! Audit lines (`docs/apis/access.md`): each decision about access logs one line, which contains no name and no value.

use std::{
    cell::RefCell,
    io::{self, Write},
    sync::Once,
    time::Duration,
};

use greenroom_core::model::user::Role;
use greenroom_telemetry::log;
use rstest::rstest;
use serde_json::{Value, json};
use tracing::subscriber::set_global_default;

use crate::{
    joining::JOIN,
    opentok_webhook::MONITOR,
    organisers::Account,
    participants::PASSWORD,
    stream_sessions::{sessions, viewer},
    support::{ACCESS_TOKEN, Answer, Caller, TestApp, basic},
};

const ADDRESS: &str = "192.0.2.7";
const WRONG: &str = "not the password of anybody";
const OBTAIN: &str = "/api/v2/token-auth/obtain/";

thread_local! {
    /// Everything logged in this test's thread since `listen`. The whole test runs in that thread.
    static HEARD: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Writes to the buffer of the thread.
struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        HEARD.with_borrow_mut(|heard| heard.iter_mut().for_each(|heard| heard.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts to record what is logged in this test's thread.
pub(crate) fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| set_global_default(log::subscriber("info", || Ear, false)).unwrap());
    HEARD.set(Some(Vec::new()));
}

pub(crate) fn heard() -> String {
    HEARD.with_borrow(|heard| String::from_utf8(heard.clone().unwrap()).unwrap())
}

/// The recorded decisions, as `event actor target reason`. A hashed target is shown without its hash.
pub(crate) fn decisions() -> Vec<String> {
    let lines = heard();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decided = lines.filter(|line| line["message"] == "access");
    let text = |value: &Value| value.as_str().unwrap_or("-").split_inclusive('#').next().unwrap().to_owned();
    let summary = |line: Value| {
        assert_eq!(line["address"].as_str().map(str::len), Some(16), "{line}");
        ["event", "actor", "target", "reason"].map(|name| text(&line[name])).join(" ")
    };
    decided.map(summary).collect()
}

/// The starting point of each case: an admin, number 1, and a partner with a password, number 2.
struct World {
    app: TestApp,
    admin: Account,
    partner: Account,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let admin = app.account("admin", Role::Admin, None).await;
        let partner = app.account("karenblixen", Role::Partner, None).await;
        app.give_passwords(&[partner.id], PASSWORD).await;
        Self { app, admin, partner }
    }

    fn admin(&self) -> Caller<'_> {
        self.app.organiser(&self.admin).at(ADDRESS)
    }

    fn anyone(&self) -> Caller<'_> {
        self.app.anyone().at(ADDRESS)
    }

    async fn obtain(&self, username: &str, password: &str) -> Answer {
        self.anyone().post(OBTAIN, json!({ "username": username, "password": password })).await
    }

    async fn to_partner(&self, what: &str) {
        assert_eq!(self.admin().post_nothing(&format!("/api/v2/users/2/{what}/")).await.status, 204);
    }

    async fn join(&self, fields: Value, given: &str) -> Answer {
        let event = self.admin().make("/api/v2/events/", json!({ "name": "Congress" })).await;
        let session = json!({ "event": event, "language": "English", "languageCode": "en" });
        self.admin().make("/api/v2/sessions/", session).await;
        let token = json!({ "event": event, "token": "the token", "tokenType": "participant" });
        self.admin().make("/api/v2/logintokens/", token).await;
        assert_eq!(self.admin().patch(&format!("/api/v2/events/{event}/"), fields).await.status, 200);
        self.app.client(true).await.at(ADDRESS).post(JOIN, json!({ "loginToken": given })).await
    }

    async fn steal(&self) {
        let token = self.app.register("identifier of the phone").await;
        let device = || self.app.bearer(&token).at(ADDRESS);
        device().post_nothing("/api/session/refresh").await;
        self.app.wait(Duration::from_secs(11));
        assert_eq!(device().post_nothing("/api/session/refresh").await.status, 401);
    }

    async fn terminate_media(&self, by_operator: bool) {
        let backend = || self.app.backend().at(ADDRESS);
        backend().post("/api/sessions", json!({ "customSessionId": "daily" })).await;
        backend().post("/api/tokens", json!({ "session": "daily" })).await;
        let session = backend().get("/api/sessions/daily").await;
        let id = session.body["connections"]["content"][0]["connectionId"].as_str().unwrap().to_owned();
        let answer = if by_operator {
            let operator = self.app.with_authorization(basic(ACCESS_TOKEN)).at(ADDRESS);
            operator.delete(&format!("{}/{id}", sessions("openvidu", "daily"))).await
        } else {
            backend().delete(&format!("/api/sessions/daily/connection/{id}")).await
        };
        assert!(answer.status.is_success(), "{answer}");
    }

    async fn end_live(&self) {
        self.join(json!({}), "the token").await;
        let live = self.admin().get("/api/live/").await;
        let id = live.body["results"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(self.admin().post(&format!("/api/live/{id}/terminate/"), json!({})).await.status, 200);
    }

    async fn watch(&self, at: i64) -> Answer {
        let body = viewer("opening", 1, at, "ws://live.example:3333/app/stream?session=one");
        self.anyone().webhook(body.to_string().into_bytes()).await
    }

    async fn watch_again(&self) {
        self.watch(0).await;
        let operator = self.app.with_authorization(basic(ACCESS_TOKEN)).at(ADDRESS);
        operator.delete(&format!("{}/one", sessions("app", "stream"))).await;
        assert_eq!(self.watch(0).await.body["allowed"], false);
    }

    async fn talk(&self, name: &str, password: &str) {
        let password = basic(&format!("{name}@localhost:{password}"));
        self.app.with_authorization(password).at(ADDRESS).get("/api/messages").await;
    }

    async fn play(&self, what: &str) {
        let change = |new: &str, old: &str| json!({ "oldPw": old, "newPw": new, "newPwRepeat": new });
        let partner = || self.app.organiser(&self.partner).at(ADDRESS);
        match what {
            "login" => drop(self.obtain("KarenBlixen", PASSWORD).await),
            "wrong password" => drop(self.obtain("karenblixen", WRONG).await),
            "unknown account" => drop(self.obtain("nobody of this name", WRONG).await),
            "refresh" => {
                let token = json!({ "token": self.partner.jwt });
                assert_eq!(self.anyone().post("/api/v2/token-auth/refresh/", token).await.status, 200);
            }
            "change" => drop(partner().post("/api/v2/users/2/password_change/", change(WRONG, PASSWORD)).await),
            "wrong change" => drop(partner().post("/api/v2/users/2/password_change/", change(WRONG, WRONG)).await),
            "set" => drop(self.admin().post("/api/v2/users/2/password_set/", json!({ "newPw": WRONG })).await),
            "block" => {
                self.to_partner("block").await;
                self.to_partner("block").await;
            }
            "blocked" => {
                self.to_partner("block").await;
                self.obtain("karenblixen", PASSWORD).await;
                self.to_partner("unblock").await;
            }
            "role" => {
                assert_eq!(self.admin().patch("/api/v2/users/2/", json!({ "role": "admin" })).await.status, 200);
            }
            "conversation" => self.talk("karenblixen", PASSWORD).await,
            "wrong in conversation" => self.talk("karenblixen", WRONG).await,
            "guessing" => {
                for number in 0..11 {
                    self.talk("nobody", &format!("{WRONG}{number}")).await;
                }
            }
            "revoke" => assert_eq!(partner().post_nothing("/api/v2/token-auth/revoke/").await.status, 204),
            "join" => assert_eq!(self.join(json!({}), "the token").await.status, 201),
            "wrong login token" => assert_eq!(self.join(json!({}), "another token").await.status, 403),
            "disabled" => assert_eq!(self.join(json!({ "disabled": true }), "the token").await.status, 404),
            "mobile" => assert_eq!(self.join(json!({ "mobileDisallow": true }), "the token").await.status, 403),
            "device" => {
                let device = json!({ "identifier": "identifier of the phone" });
                assert_eq!(self.anyone().post("/api/sessions", device).await.status, 200);
            }
            "back-end" => self.terminate_media(false).await,
            "operator" => self.terminate_media(true).await,
            "live" => self.end_live().await,
            "api token" => {
                let id = self.admin().make("/api/v2/apitokens/", json!({ "name": "Stage displays" })).await;
                assert_eq!(self.admin().delete(&format!("/api/v2/apitokens/{id}/")).await.status, 204);
            }
            "callback" => assert_eq!(self.anyone().post(MONITOR, json!({})).await.status, 401),
            "admission" => {
                let body = viewer("opening", 1, 0, "ws://live.example:3333/app/stream?session=one");
                assert_eq!(self.anyone().post("/v1/admission", body).await.status, 401);
            }
            "viewer" => drop(self.watch(0).await),
            "late webhook" => assert_eq!(self.watch(-25 * 3600).await.body["allowed"], false),
            "viewer who was cut off" => self.watch_again().await,
            other => unreachable!("{other}"),
        }
    }
}

#[rstest]
#[case("login", &["login user:2 user:2 password"])]
#[case("wrong password", &["login_refused - user:2 wrong_password"])]
#[case("unknown account", &["login_refused - account# unknown_account"])]
#[case("refresh", &["login user:2 user:2 refresh"])]
#[case("change", &["password_changed user:2 user:2 -"])]
#[case("wrong change", &["login_refused user:2 user:2 wrong_old_password"])]
#[case("set", &["password_changed user:1 user:2 -"])]
#[case("block", &["user_blocked user:1 user:2 -"])]
#[case("blocked", &["user_blocked user:1 user:2 -", "login_refused - user:2 blocked", "user_unblocked user:1 user:2 -"])]
#[case("role", &["role_changed user:1 user:2 admin"])]
#[case("conversation", &["login user:2 user:2 password"])]
#[case("wrong in conversation", &["login_refused - user:2 wrong_password"])]
#[case("guessing", &[["login_refused - account# unknown_account"; 10].as_slice(), &["guard_shut - account# passwords"]].concat())]
#[case("revoke", &["token_revoked user:2 user:2 everywhere"])]
#[case("join", &["join login_token:1 event:1 -"])]
#[case("wrong login token", &["join_refused login_token# - unknown_login_token"])]
#[case("disabled", &["join_refused login_token:1 - event_disabled"])]
#[case("mobile", &["join_refused login_token:1 - no_mobile_clients"])]
#[case("device", &["device_registered - device# -"])]
#[case("back-end", &["connection_terminated backend connection: -"])]
#[case("operator", &["connection_terminated operator connection: -"])]
#[case("live", &["join login_token:1 event:1 -", "connection_terminated user:1 connection: -"])]
#[case("api token", &["api_token_created user:1 api_token:1 -", "api_token_deleted user:1 api_token:1 -"])]
#[case("callback", &["webhook_refused media_provider - signature"])]
#[case("admission", &["webhook_refused media_server - signature"])]
#[case("viewer", &["join guest# stream# -"])]
#[case("late webhook", &["webhook_refused media_server - out_of_time"])]
#[case("viewer who was cut off", &["join guest# stream# -", "connection_terminated operator guest# -", "join_refused guest# stream# terminated"])]
#[tokio::test]
async fn each_access_decision_logs_one_line_without_a_name(#[case] what: &str, #[case] lines: &[&str]) {
    let world = World::new().await;
    listen();
    world.play(what).await;
    // Connection ids are random.
    let decided: Vec<String> = decisions().iter().map(|line| without_id(line)).collect();
    assert_eq!(decided, lines, "{}", heard());
    let secrets = [
        ADDRESS,
        WRONG,
        PASSWORD,
        "karenblixen",
        "KarenBlixen",
        "nobody of this name",
        "the token",
        "another token",
        "identifier of the phone",
        "daily",
        "Stage displays",
        "Congress",
        &world.partner.jwt,
    ];
    for secret in secrets {
        assert!(!heard().contains(secret), "{secret} was logged:\n{}", heard());
    }
}

#[tokio::test]
async fn a_stolen_device_token_is_one_line() {
    let world = World::new().await;
    listen();
    world.steal().await;
    let text = heard();
    let stolen: Vec<_> = text.lines().filter(|line| line.contains("device_token_stolen")).collect();
    assert_eq!(stolen.len(), 1, "{text}");
    let line: Value = serde_json::from_str(stolen[0]).unwrap();
    assert!(line["target"].as_str().unwrap().starts_with("device#"), "{line}");
    assert!(!heard().contains("identifier of the phone"));
}

/// The line with the kind of a connection, but without its id.
fn without_id(line: &str) -> String {
    let words = line.split(' ').map(|word| if word.starts_with("connection:") { "connection:" } else { word });
    words.collect::<Vec<_>>().join(" ")
}
