//! Servers under measurement, found by the line they print.

use std::{net::SocketAddr, path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::Result;

/// A server process; dropping it kills it.
pub(crate) struct Server {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Server {
    /// Starts a server with these arguments and variables, without what would make it load more certificates than a
    /// user's machine has.
    pub(crate) fn start(binary: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<Self> {
        let mut process = Command::new(binary)
            .args(arguments)
            .envs(variables.iter().copied())
            .env_remove("SSL_CERT_DIR")
            .env_remove("SSL_CERT_FILE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("no standard output")?;
        Ok(Self { process, output: BufReader::new(output).lines() })
    }

    /// The address after `http://` in the next line of output that says `what`.
    pub(crate) async fn address(&mut self, what: &str) -> Result<SocketAddr> {
        while let Some(line) = self.output.next_line().await? {
            let Some((_, address)) = line.split_once("http://").filter(|_| line.contains(what)) else { continue };
            let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(address.len());
            return Ok(address[..end].parse()?);
        }
        let status = self.process.wait().await?;
        Err(format!("the server ended before it said {what:?}: {status}").into())
    }

    /// Reads on, so that a full pipe never stops the server; its process lives until the result is dropped.
    #[must_use]
    pub(crate) fn keep(self) -> Kept {
        let Self { process, mut output } = self;
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Kept { process }
    }
}

/// A server that runs and has nothing more to say; it is stopped when this is dropped.
pub(crate) struct Kept {
    process: Child,
}

impl Kept {
    /// The number of its process.
    pub(crate) fn process_id(&self) -> Result<u32> {
        Ok(self.process.id().ok_or("the server has ended")?)
    }

    /// Asks it to end, for a server with children of its own, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.process_id()?.to_string()).status().await?;
        self.process.wait().await?;
        Ok(())
    }
}
