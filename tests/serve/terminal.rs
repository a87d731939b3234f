//! The output of the server as its operator sees it.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read},
    process::{Child, Stdio},
};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use testbed::Client;

use crate::process::{Server, greenroom, run, text};

#[test]
fn a_misspelt_log_level_is_refused() {
    let refused = greenroom(&["--memory", "--port", "0"]).env("LOG", "debgu").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("LOG: must be a level"), "{}", text(&refused.stderr));
    assert!(refused.stdout.is_empty());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_server_listens_on_the_given_address() {
    // Another address of the loopback interface. Only Linux has it without further configuration.
    let server = Server::start_with(&["--memory", "--port", "0", "--host", "127.0.0.2"], &[]);
    assert!(server.url.starts_with("http://127.0.0.2:"), "{}", server.url);
    assert!(!server.introduction.contains("open to:"));
    let health = Client::new().get(format!("{}/health", server.url)).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let refused = run(&["--memory", "--port", "0", "--host", "192.0.2.1"]);
    let error = text(&refused.stderr);
    assert!(error.starts_with("greenroom: cannot listen on 192.0.2.1:0: "), "{error}");
}

/// A process that is ended even if the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A terminal: a reader for its output, and the file that a process writes to.
fn terminal() -> (BufReader<File>, File) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (BufReader::new(File::from(master)), terminal)
}

/// Reads until a line contains this text; returns the line.
fn line_with(reader: &mut impl BufRead, wanted: &str) -> String {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert_ne!(reader.read_line(&mut line).unwrap(), 0, "there is no {wanted}");
    }
    line.trim().to_owned()
}

#[tokio::test]
async fn on_a_terminal_requests_log_readable_lines_and_ctrl_c_says_what_it_waits_for() {
    let (mut screen, terminal) = terminal();
    let mut command = greenroom(&["--memory", "--port", "0"]);
    command.stdout(terminal.try_clone().unwrap()).stderr(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let address = line_with(&mut screen, "greenroom listening on ");
    let url = address.rsplit(' ').next().unwrap().to_owned();
    assert_eq!(Client::new().get(format!("{url}/health")).send().await.unwrap().status(), 200);
    let line = line_with(&mut screen, "GET /health");
    assert!(!line.contains('{'), "{line}");
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words[1..4], ["200", "GET", "/health"], "{line}");
    assert!(line.ends_with("1 request to the table"), "{line}");

    let id = running.0.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let mut said = String::new();
    running.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("finishing the requests in flight"), "{said}");
    assert!(running.0.wait().unwrap().success());
}
