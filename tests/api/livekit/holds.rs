//! Who is terminated is put out at the server before the answer comes, or as soon as it answers.

use std::time::Duration;

use greenroom_core::config::Setting;
use rstest::rstest;
use serde_json::{Value, json};
use testbed::nobody;

use super::{
    server::{Failure, removal},
    stage::{FIRST, Guest, ROOM, Stage},
};
use crate::support::Answer;

impl Stage {
    /// Terminates the connection, as an operator or as a user of the list for people.
    pub(super) async fn terminate(&self, guest: &Guest, by: &str) -> Answer {
        if by == "operator" {
            return self.kick(guest).await;
        }
        let id = self.entry(guest).await["id"].as_str().unwrap().to_owned();
        self.app.organiser(&self.admin).post_nothing(&format!("/api/live/{id}/terminate/")).await
    }

    /// How the terminated connection ended, which has left no trace in the lists.
    pub(super) async fn termination(&self, guest: &Guest) -> Value {
        assert!(self.names(guest).await.is_empty());
        let path = format!("/api/live/?event={}&stream={}", guest.event, guest.session);
        let listed = self.app.organiser(&self.admin).get(&path).await.body;
        assert_eq!(listed["results"], json!([]));
        let ended = self.ended(guest).await;
        json!([ended["reason"], ended["endedBy"]])
    }

    fn by(&self, by: &str) -> Value {
        match by {
            "operator" => json!(["terminated", { "kind": "operator", "user": null }]),
            _ => json!(["terminated", { "kind": "user", "user": self.admin.id }]),
        }
    }
}

#[rstest]
#[tokio::test]
async fn the_participant_is_out_when_the_answer_comes(#[values("operator", "user")] by: &str) {
    let (stage, guest) = Stage::connected().await;
    let other = super::server::listed("somebody else", "PA_other", "ACTIVE", 0, &[]);
    stage.server.has(&guest.room, ROOM, [guest.listed(FIRST, "ACTIVE", &[]), other]);
    let answer = stage.terminate(&guest, by).await;
    assert_eq!(answer.status, 200, "{answer}");
    if by == "operator" {
        assert_eq!(answer.to_string(), r#"200 {"message":"OK","statusCode":200}"#);
    } else {
        assert_eq!((&answer.body["state"], &answer.body["reason"]), (&json!("ended"), &json!("terminated")));
    }
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    assert_eq!(stage.server.people(&guest.room).unwrap(), ["somebody else"]);
    assert_eq!(stage.termination(&guest).await, stage.by(by));
    assert_eq!(stage.app.jobs().await, 0);
    // The server's word for it changes nothing.
    stage.app.hear(&guest.left(FIRST, 101_000, "PARTICIPANT_REMOVED")).await;
    assert_eq!(stage.termination(&guest).await, stage.by(by));
    assert_eq!(stage.kick(&guest).await.status, 404);
    stage.app.keep_house().await;
    assert!(stage.server.told().is_empty());
}

#[rstest]
#[tokio::test]
async fn whoever_is_not_there_counts_as_out(
    #[values("operator", "user")] by: &str,
    #[values(false, true)] has_room: bool,
) {
    let (stage, guest) = Stage::joined().await;
    if has_room {
        stage.server.has(&guest.room, ROOM, []);
    }
    // The token was issued, and nobody has come with it.
    assert_eq!(stage.terminate(&guest, by).await.status, 200);
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    assert_eq!(stage.termination(&guest).await, stage.by(by));
    assert_eq!(stage.app.jobs().await, 0);
}

const TWIRP: &str = r#"{"code":"unavailable","msg":"no response from servers"}"#;

#[rstest]
#[case::busy(Failure::Answer(429, "text/plain", "slow down"))]
#[case::fault(Failure::Answer(500, "application/json", r#"{"code":"internal","msg":"oops"}"#))]
#[case::html(Failure::Answer(502, "text/html", "<html>"))]
#[case::no_server_behind(Failure::Answer(503, "application/json", TWIRP))]
#[case::our_fault(Failure::Answer(
    401,
    "application/json",
    r#"{"code":"unauthenticated","msg":"permissions denied"}"#
))]
#[case::another_route(Failure::Answer(404, "application/json", r#"{"code":"bad_route","msg":"no handler"}"#))]
#[case::a_proxy_without_the_route(Failure::Answer(404, "text/html", "<html>"))]
#[case::a_page_with_success(Failure::Answer(200, "text/html", "<html>"))]
#[case::an_unknown_key(Failure::UnknownKey)]
#[case::silence(Failure::Silence)]
#[tokio::test]
async fn a_server_that_does_not_do_it_is_told_later(#[case] failure: Failure, #[values("operator", "user")] by: &str) {
    let (stage, guest) = Stage::connected().await;
    stage.server.fails(failure);
    let answer = stage.terminate(&guest, by).await;
    assert_eq!(answer.status, 202, "{answer}");
    // Nothing of what the server said gets out, not to speak of the token.
    let text = answer.body.to_string();
    assert!(!["eyJ", "html", "oops", "denied", "invalid"].iter().any(|word| text.contains(word)), "{text}");
    assert_eq!(stage.termination(&guest).await, stage.by(by));
    assert_eq!((stage.app.jobs().await, stage.server.people(&guest.room).unwrap().len()), (1, 1));
    stage.server.fails(None);
    stage.server.asked();
    stage.app.wait(Duration::from_secs(2));
    stage.app.deliver_due().await;
    assert_eq!(stage.server.asked(), [removal(&guest.room, &guest.name)]);
    assert_eq!((stage.app.jobs().await, stage.server.people(&guest.room).unwrap().len()), (0, 0));
    assert_eq!(stage.termination(&guest).await, stage.by(by));
}

#[tokio::test]
async fn a_server_that_nobody_can_reach_is_told_later() {
    let (stage, guest) = Stage::connected().await;
    let url: &'static str = format!("http://{}", nobody().unwrap()).leak();
    let app = stage.app.again_with([(Setting::LivekitUrl, url)]);
    let away = Stage { app, server: stage.server.clone(), admin: stage.admin.clone(), event: stage.event };
    let answer = away.kick(&guest).await;
    assert_eq!((answer.status.as_u16(), &answer.body["message"]), (202, &json!("Accepted")));
    assert_eq!(away.termination(&guest).await, away.by("operator"));
    stage.app.wait(Duration::from_secs(2));
    stage.app.keep_house().await;
    assert!(stage.server.told().contains(&removal(&guest.room, &guest.name)));
    assert!(stage.server.people(&guest.room).unwrap().is_empty());
    assert_eq!(stage.app.jobs().await, 0);
}

#[tokio::test]
async fn only_the_connection_that_is_meant_is_terminated() {
    let (stage, guest) = Stage::connected().await;
    let other = stage.guest().await;
    stage.app.hear(&other.joined(super::stage::Came("PA_other", 100_000))).await;
    assert_eq!(stage.kick(&guest).await.status, 200);
    assert_eq!(stage.names(&other).await, [&*other.name]);
    let unknown = Guest { name: "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11".to_owned(), ..guest.clone() };
    assert_eq!(stage.kick(&unknown).await.status, 404);
    assert_eq!(stage.server.told(), [removal(&guest.room, &guest.name)]);
}
