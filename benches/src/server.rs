//! Servers under measurement. Each one prints its address in a line.

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
    /// Starts a server with these arguments and variables. Variables that would make it load more certificates than a
    /// user's machine has are removed.
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

    /// The address after `http://` in the next line of output that contains `what`.
    pub(crate) async fn address(&mut self, what: &str) -> Result<SocketAddr> {
        while let Some(line) = self.output.next_line().await? {
            let Some((_, address)) = line.split_once("http://").filter(|_| line.contains(what)) else { continue };
            let end = address.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':').unwrap_or(address.len());
            return Ok(address[..end].parse()?);
        }
        let status = self.process.wait().await?;
        Err(format!("the server ended before it said {what:?}: {status}").into())
    }

    /// Reads the rest of the output, so that a full pipe never stops the server. The process lives until the result is
    /// dropped.
    #[must_use]
    pub(crate) fn keep(self) -> Kept {
        let Self { process, mut output } = self;
        tokio::spawn(async move { while let Ok(Some(_)) = output.next_line().await {} });
        Kept { process }
    }
}

/// A running server whose output is read in the background. It is stopped when this is dropped.
pub(crate) struct Kept {
    process: Child,
}

impl Kept {
    /// The id of its process.
    pub(crate) fn process_id(&self) -> Result<u32> {
        Ok(self.process.id().ok_or("the server has ended")?)
    }

    /// Asks it to end, and waits until it has ended. For a server with child processes.
    pub(crate) async fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.process_id()?.to_string()).status().await?;
        self.process.wait().await?;
        Ok(())
    }
}
