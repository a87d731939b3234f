//! A `greenroom` process.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

use serde_json::Value;

/// A running server. It is killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// The lines that it printed before it was ready, with its address in one of them.
    pub(crate) introduction: String,
    pub(crate) url: String,
    data_dir: Option<PathBuf>,
}

/// The command, without the variables of this process's environment that it reads.
pub(crate) fn greenroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(arguments).stdin(Stdio::null()).env_clear();
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    greenroom(arguments).output().unwrap()
}

/// Starts a server and stops it again, which leaves a store.
pub(crate) fn make_store(data_dir: &Path) {
    let server = Server::start(data_dir);
    server.signal("-TERM");
    assert_eq!(server.wait().0, Some(0));
}

/// A value of `secrets.env`.
pub(crate) fn kept(data_dir: &Path, name: &str) -> Option<String> {
    let secrets = std::fs::read_to_string(data_dir.join("secrets.env")).ok()?;
    secrets.lines().find_map(|line| Some(line.strip_prefix(name)?.strip_prefix("='")?.strip_suffix('\'')?.to_owned()))
}

/// The error output of a command, without the note about the store.
pub(crate) fn complaint(output: &Output) -> String {
    text(&output.stderr).split_inclusive('\n').filter(|line| !is_note(line)).collect()
}

fn is_note(line: &str) -> bool {
    ["greenroom: store: ", "greenroom: credentials: "].iter().any(|note| line.starts_with(note))
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

impl Server {
    /// Starts a server on this data directory and a free port.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(&["--port", "0", "--data-dir", data_dir.to_str().unwrap()], &[])
    }

    pub(crate) fn start_with(arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut command = greenroom(arguments);
        command.envs(environment.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut introduction = String::new();
        while !introduction.trim_end().ends_with("/api/sessions") || introduction.lines().count() < 6 {
            assert_ne!(stdout.read_line(&mut introduction).unwrap(), 0, "it stopped: {introduction}");
        }
        let first = introduction.lines().next().unwrap();
        let url = first.strip_prefix("greenroom listening on ").unwrap().to_owned();
        let data_dir = arguments.iter().skip_while(|argument| **argument != "--data-dir").nth(1).map(PathBuf::from);
        Self { child, stdout, introduction, url, data_dir }
    }

    /// The value of this line in the introduction.
    pub(crate) fn shown(&self, name: &str) -> Option<&str> {
        self.introduction.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
    }

    /// The secret of the back-ends: printed at the first start, read from the directory later.
    pub(crate) fn secret(&self) -> String {
        if let Some(secret) = self.shown("OpenVidu secret") {
            return secret.to_owned();
        }
        let kept = kept(self.data_dir.as_deref().unwrap(), "OPENVIDU_SECRET").unwrap();
        let newest = serde_json::from_str::<Value>(&kept)
            .ok()
            .and_then(|values| values[0]["secret"].as_str().map(str::to_owned));
        newest.unwrap_or(kept)
    }

    /// The address of its database.
    pub(crate) fn database(&self) -> &str {
        self.shown("DynamoDB").unwrap()
    }

    /// The environment for a program that uses the database of a server whose credentials are new.
    pub(crate) fn database_environment(&self) -> [(&str, &str); 2] {
        let key = self.shown("access key id of the DynamoDB port").unwrap();
        [("AWS_ENDPOINT_URL_DYNAMODB", self.database()), ("AWS_ACCESS_KEY_ID", key)]
    }

    /// The curl lines it printed.
    pub(crate) fn curl_lines(&self) -> impl Iterator<Item = &str> {
        self.introduction.lines().map(str::trim).filter(|line| line.starts_with("curl "))
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits until it ends; its exit code, and the rest of its output.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only if the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
