use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tempfile::tempdir;
use testbed::Client;

use crate::process::{Server, run, text};

/// Sends a request as a back-end.
async fn backend(server: &Server, method: &str, path: &str, body: Option<Value>) -> (StatusCode, Value) {
    let url = format!("{}{path}", server.url);
    let request = Client::new().request(method.parse().unwrap(), url).basic_auth("OPENVIDUAPP", &server.secret());
    let request = if let Some(body) = body { request.json(&body) } else { request };
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn the_next_start_has_the_same_credentials_and_data() {
    let dir = tempdir().unwrap();
    let first = Server::start(dir.path());
    let secret = first.secret();
    let token = Client::new().post(format!("{}/api/sessions", first.url)).json(&json!({ "identifier": "phone" }));
    let token: Value = token.send().await.unwrap().json().await.unwrap();
    let (status, _) = backend(&first, "POST", "/api/sessions", Some(json!({ "customSessionId": "daily" }))).await;
    assert_eq!(status, 200);
    first.signal("-INT");
    assert_eq!(first.wait().0, Some(0));

    let second = Server::start(dir.path());
    assert_eq!(second.secret(), secret);
    assert_eq!(backend(&second, "GET", "/api/sessions/daily", None).await.0, 200);
    let session = Client::new().get(format!("{}/api/session", second.url));
    let session = session.bearer_auth(token["data"]["token"].as_str().unwrap()).send().await.unwrap();
    assert_eq!(session.status(), 200);
}

#[tokio::test]
async fn acknowledged_writes_survive_kill_9() {
    let dir = tempdir().unwrap();
    let server = Arc::new(Server::start(dir.path()));
    let stop = Arc::new(AtomicBool::new(false));
    let writers = (0..4).map(|_| {
        let (server, stop) = (server.clone(), stop.clone());
        tokio::spawn(async move {
            let (client, mut acknowledged) = (Client::new(), Vec::new());
            while !stop.load(Ordering::SeqCst) {
                let open = client.post(format!("{}/api/sessions", server.url));
                let open = open.basic_auth("OPENVIDUAPP", &server.secret());
                // Requests fail once the server is killed.
                let Ok(response) = open.send().await else { break };
                let Ok(session) = response.json::<Value>().await else { break };
                acknowledged.push(session["id"].as_str().unwrap().to_owned());
                if acknowledged.len() == 25 {
                    server.signal("-KILL");
                }
            }
            acknowledged
        })
    });
    let mut acknowledged = Vec::new();
    for writer in writers.collect::<Vec<_>>() {
        acknowledged.extend(writer.await.unwrap());
    }
    assert!(acknowledged.len() >= 25);
    drop(server);

    let server = Server::start(dir.path());
    let list = backend(&server, "GET", "/api/sessions", None).await.1;
    let listed: Vec<_> =
        list["content"].as_array().unwrap().iter().map(|session| session["sessionId"].as_str().unwrap()).collect();
    for id in &acknowledged {
        assert!(listed.contains(&id.as_str()), "{id} was acknowledged and is lost");
    }
}

#[test]
fn a_request_in_flight_is_finished_before_the_server_stops() {
    let server = Server::start_with(&["--port", "0", "--memory"], &[]);
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let body = r#"{"identifier":"phone"}"#;
    let head = format!(
        "POST /api/sessions HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so the request has reached its handler.
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(text(&answer), "HTTP/1.1 100 Continue\r\n\r\n");
    server.signal("-TERM");
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert_eq!(server.wait().0, Some(0));
}

#[test]
fn a_second_start_on_the_same_directory_is_refused_in_one_line() {
    let dir = tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let _server = Server::start(dir.path());
    let second = run(&["serve", "--port", "0", "--data-dir", path]);
    assert_eq!(second.status.code(), Some(1));
    let error = text(&second.stderr);
    assert!(error.starts_with(&format!("greenroom: {path} is in use by another greenroom")), "{error}");
    assert_eq!(error.lines().count(), 1);
    assert!(second.stdout.is_empty());
}

#[test]
fn a_port_in_use_is_refused_in_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(&["serve", "--memory", "--port", &port]);
    assert_eq!(refused.status.code(), Some(1));
    let error = text(&refused.stderr);
    assert!(error.starts_with(&format!("greenroom: cannot listen on 127.0.0.1:{port}: ")), "{error}");
    assert_eq!(error.lines().count(), 1);
}

#[test]
fn a_directory_that_cannot_be_written_is_refused_in_one_line() {
    let dir = tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    for path in [file.clone(), file.join("below")] {
        let refused = run(&["--port", "0", "--data-dir", path.to_str().unwrap()]);
        assert_eq!(refused.status.code(), Some(1));
        let error = text(&refused.stderr);
        assert!(error.starts_with(&format!("greenroom: cannot use {}: ", path.display())), "{error}");
        assert_eq!(error.lines().count(), 1);
    }
}

#[tokio::test]
async fn other_tools_reach_the_embedded_database_at_its_port() {
    let server = Server::start_with(&["--port", "0", "--memory", "--dynamodb-port", "0"], &[]);
    // A second server, on the first one's database.
    let dir = tempdir().unwrap();
    let arguments = ["--port", "0", "--data-dir", dir.path().to_str().unwrap()];
    let secret = server.secret();
    let environment = [&server.database_environment()[..], &[("OPENVIDU_SECRET", &*secret)]].concat();
    let other = Server::start_with(&arguments, &environment);
    backend(&server, "POST", "/api/sessions", Some(json!({ "customSessionId": "daily" }))).await;
    let read = Client::new().get(format!("{}/api/sessions/daily", other.url));
    let read = read.basic_auth("OPENVIDUAPP", &secret).send().await.unwrap();
    assert_eq!(read.status(), 200);
    // A secret from the environment is not shown.
    assert!(!other.introduction.contains(&secret));
}

#[test]
fn the_introduction_has_a_line_for_each_first_step() {
    let server = Server::start_with(&["--port", "0", "--memory"], &[]);
    let lines: Vec<_> = server.curl_lines().collect();
    assert_eq!(lines.len(), 5);
    assert!(lines.iter().all(|line| line.contains(&server.url)));
    assert!(lines[0].contains("token-auth"));
    assert!(lines[2..].iter().all(|line| line.contains(&server.secret())));
}

#[test]
fn the_data_directory_is_closed_to_other_users() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempdir().unwrap();
    let data = dir.path().join("data");
    let _server = Server::start(&data);
    // The directory keeps itself out of any repository.
    assert_eq!(std::fs::read_to_string(data.join(".gitignore")).unwrap(), "*\n");
    let mode = |name: &str| std::fs::metadata(data.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(
        (mode(""), mode("secrets.env"), mode("greenroom.db"), mode("greenroom.db-wal")),
        (0o700, 0o600, 0o600, 0o600)
    );
}

/// Opens an event stream of the first user; its beginning has arrived.
async fn listen(server: &Server, password: &str) -> testbed::Response {
    let request = Client::new().get(format!("{}/api/sse", server.url));
    let mut stream = request.basic_auth("admin@localhost", password).send().await.unwrap();
    assert_eq!(
        (stream.status().as_u16(), &stream.headers()["content-type"]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let beginning = stream.chunk().await.unwrap().unwrap();
    assert!(text(&beginning).starts_with("retry: "));
    stream
}

#[tokio::test]
async fn a_stream_delivers_messages_and_ends_when_the_server_stops() {
    let password = "correct horse";
    let server = Server::start_with(&["--port", "0", "--memory"], &[("ADMIN_PASSWORD", password)]);
    let mut streams = [listen(&server, password).await, listen(&server, password).await];
    let message = Client::new().post(format!("{}/api/messages", server.url)).basic_auth("admin@localhost", password);
    let sent = message.json(&json!({ "to": "admin@localhost", "body": "note" })).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    for stream in &mut streams {
        let event = stream.chunk().await.unwrap().unwrap();
        assert!(text(&event).contains("\nevent: message\ndata: {"), "{event:?}");
    }
    let stopped = Instant::now();
    server.signal("-TERM");
    for stream in &mut streams {
        assert_eq!(stream.chunk().await.unwrap(), None);
    }
    let (code, log) = server.wait();
    assert_eq!(code, Some(0));
    // The log has the lines of the functions and those of the layers around them.
    assert_eq!(log.matches("event stream ended").count(), 2, "{log}");
    // Requests in flight would be given more time.
    assert!(stopped.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_start_says_that_opentok_webhooks_are_refused_without_a_secret() {
    let opentok = [
        ("VIDEO_PROVIDER", "opentok"),
        ("OPENTOK_API_KEY", "45828062"),
        ("OPENTOK_API_SECRET", "1234567890abcdef1234567890abcdef1234567890"),
    ];
    let signed = [&opentok[..], &[("OPENTOK_WEBHOOK_SECRET", "secret-of-the-session-monitoring")]].concat();
    for (environment, warns) in [(&opentok[..], true), (&signed, false), (&[], false)] {
        let dir = tempdir().unwrap();
        let arguments = ["serve", "--port", "0", "--data-dir", dir.path().to_str().unwrap()];
        let server = Server::start_with(&arguments, environment);
        // The server answers, so it has printed everything by now.
        let _ = backend(&server, "GET", "/api/sessions", None).await;
        server.signal("-INT");
        let (code, rest) = server.wait();
        let said = rest.matches("OPENTOK_WEBHOOK_SECRET is not set").count();
        assert_eq!((code, said), (Some(0), usize::from(warns)), "{rest}");
    }
}
