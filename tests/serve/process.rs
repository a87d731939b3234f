//! A `greenroom` process.

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A running server; killed when it is dropped.
pub(crate) struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// What it printed before it was ready, and the address in it.
    pub(crate) introduction: String,
    pub(crate) url: String,
}

/// The command, with nothing of this process's environment that it reads.
pub(crate) fn greenroom(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
    command.args(arguments).stdin(Stdio::null()).env_clear();
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    greenroom(arguments).output().unwrap()
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
        Self { child, stdout, introduction, url }
    }

    /// The credentials it printed.
    pub(crate) fn secret(&self) -> &str {
        let line = self.introduction.lines().find_map(|line| line.trim().strip_prefix("OpenVidu secret: "));
        line.unwrap()
    }

    /// Where it serves its database.
    pub(crate) fn database(&self) -> &str {
        let line = self.introduction.lines().find_map(|line| line.trim().strip_prefix("DynamoDB: "));
        line.unwrap()
    }

    /// The curl lines it printed.
    pub(crate) fn curl_lines(&self) -> impl Iterator<Item = &str> {
        self.introduction.lines().map(str::trim).filter(|line| line.starts_with("curl "))
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Waits for its end; its exit code and what else it printed.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Fails only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
