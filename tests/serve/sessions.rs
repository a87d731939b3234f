//! `greenroom sessions` next to a running server.

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, complaint, greenroom, text};

const LIVEKIT: [(&str, &str); 4] = [
    ("VIDEO_PROVIDER", "livekit"),
    ("LIVEKIT_URL", "ws://127.0.0.1:7880"),
    ("LIVEKIT_API_KEY", "devkey"),
    ("LIVEKIT_API_SECRET", "secret"),
];

#[tokio::test]
async fn sessions_are_moved_to_livekit_and_back() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let server = Server::start(dir.path());
    let password = server.shown("password of the user admin").unwrap();
    let login = json!({ "username": "admin", "password": password });
    let client = Client::new();
    let url = |path: &str| format!("{}/api/v2/{path}/", server.url);
    let answer = client.post(url("token-auth/obtain")).json(&login).send().await.unwrap();
    let jwt = format!("JWT {}", answer.json::<Value>().await.unwrap()["token"].as_str().unwrap());
    for (path, body) in [("events", json!({ "name": "a" })), ("sessions", json!({ "event": 1, "language": "German" }))]
    {
        let request = client.post(url(path)).header("authorization", &jwt).json(&body);
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
    let id = async || {
        let request = client.get(url("sessions/1")).header("authorization", &jwt);
        request.send().await.unwrap().json::<Value>().await.unwrap()["sessionId"].as_str().unwrap().to_owned()
    };
    let run = |more: &[&str], environment: &[(&str, &str)]| {
        let arguments = [&["sessions", "move", "--data-dir", path], more].concat();
        greenroom(&arguments).envs(environment.iter().copied()).output().unwrap()
    };
    let before = id().await;
    let refused = run(&[], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint(&refused).contains("set VIDEO_PROVIDER"), "{}", complaint(&refused));
    assert_eq!(id().await, before);

    let moved = run(&["--event", "1"], &LIVEKIT);
    assert_eq!(text(&moved.stdout), "moved 1, there already 0, failed 0\n", "{}", text(&moved.stderr));
    assert!(id().await.starts_with("e1-s1-"));
    assert_eq!(text(&run(&[], &LIVEKIT).stdout), "moved 0, there already 1, failed 0\n");
    assert_eq!(complaint(&run(&["--event", "7"], &LIVEKIT)), "greenroom: there is no event 7\n");

    // The data directory has the credentials of the provider that needs no network.
    let back = run(&[], &[("VIDEO_PROVIDER", "offline")]);
    assert_eq!(text(&back.stdout), "moved 1, there already 0, failed 0\n", "{}", text(&back.stderr));
    assert!(id().await.starts_with("1_"));
}
