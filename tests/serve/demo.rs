//! `greenroom demo --livekit`.

use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, greenroom, make_store, run, text};

/// The settings of the line that starts Greenroom.
const SETTINGS: &str =
    "VIDEO_PROVIDER=livekit LIVEKIT_URL=ws://127.0.0.1:7880 LIVEKIT_API_KEY=devkey LIVEKIT_API_SECRET=secret";

fn settings() -> Vec<(&'static str, &'static str)> {
    SETTINGS.split(' ').filter_map(|setting| setting.split_once('=')).collect()
}

#[test]
fn without_a_store_it_says_how_to_start_both_servers() {
    let dir = tempdir().unwrap();
    let missing = dir.path().join("none");
    let demo = run(&["demo", "--livekit", "--data-dir", missing.to_str().unwrap()]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let said = text(&demo.stdout);
    let server = "livekit-server --dev --bind 127.0.0.1 --node-ip 127.0.0.1 --config-body 'webhook: {api_key: devkey, \
                  urls: [\"http://127.0.0.1:3000/webhooks/livekit\"]}'";
    assert!(said.contains(server), "{said}");
    assert!(said.contains(&format!("{SETTINGS} greenroom serve --data-dir {}\n", missing.display())), "{said}");
    assert!(!missing.exists());
    assert!(!run(&["demo", "--data-dir", missing.to_str().unwrap()]).status.success());
}

#[tokio::test]
async fn a_store_of_its_own_gets_rooms_and_a_page() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    make_store(dir.path());
    let demo = run(&["demo", "--livekit", "--data-dir", path]);
    assert!(demo.status.success(), "{}", text(&demo.stderr));
    let said = text(&demo.stdout);
    assert!(!said.contains("greenroom sessions move"), "{said}");
    let page = said.lines().last().unwrap().trim();
    assert_eq!(page, dir.path().canonicalize().unwrap().join("livekit-demo.html").to_str().unwrap());
    assert_eq!(std::fs::read_to_string(page).unwrap(), include_str!("../../src/cli/demo/livekit.html"));

    let server = Server::start_with(&["--port", "0", "--data-dir", path], &settings());
    assert_eq!(join(&server, said).await, ["English", "French", "German"]);
}

#[tokio::test]
async fn sessions_of_another_provider_are_moved_as_it_says() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let server = Server::start(dir.path());
    let demo = || run(&["demo", "--livekit", "--data-dir", path]);
    let first = demo();
    let said = text(&first.stdout);
    let port = server.url.rsplit(':').next().unwrap();
    assert!(said.contains(&format!("greenroom serve --port {port} --data-dir {path}\n")), "{said}");
    let line = said.lines().find_map(|line| line.split_once("greenroom sessions move"));
    let (before, arguments) = line.unwrap();
    assert_eq!(before.trim(), SETTINGS);
    let arguments: Vec<_> = ["sessions", "move"].into_iter().chain(arguments.split_whitespace()).collect();
    let moved = greenroom(&arguments).envs(settings()).output().unwrap();
    assert_eq!(text(&moved.stdout), "moved 4, there already 0, failed 0\n", "{}", text(&moved.stderr));
    let again = demo();
    assert!(!text(&again.stdout).contains("sessions move"), "{}", text(&again.stdout));
}

/// Joins with the `curl` line. Returns the languages of the sessions that are rooms, in order.
async fn join(server: &Server, said: &str) -> Vec<String> {
    let line = said.lines().find(|line| line.trim().starts_with("curl ")).unwrap();
    let between = |before: &str, after: &str| line.split_once(before).unwrap().1.split_once(after).unwrap().0;
    let login_token = between("{\"loginToken\":\"", "\"}");
    let authorization = format!("Token {}", between("Authorization: Token ", "'"));
    let request = Client::new().post(format!("{}/api/v2/rtcsessions/", server.url));
    let request = request.header("authorization", authorization).json(&json!({ "loginToken": login_token }));
    let answer: Value = request.send().await.unwrap().json().await.unwrap();
    let rooms = answer["sessions"].as_array().unwrap().iter().filter(|session| session["livekit"]["token"].is_string());
    let mut languages: Vec<_> = rooms.map(|session| session["language"].as_str().unwrap().to_owned()).collect();
    languages.sort_unstable();
    languages
}
