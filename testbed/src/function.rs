//! One function process under its own Runtime API.

use std::{
    fs, io,
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::NamedTempFile;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
    time::timeout,
};

use crate::{
    api::{Api, Posted, Start},
    environment,
    error::{Exit, InvokeError, StartError},
    stream::Streamed,
};

/// The timeout of a start or an invocation. It is much longer than either needs: a busy machine fails no test, and a
/// function that hangs still fails its own.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A running function. Dropping it kills its process.
pub struct Function {
    api: Api,
    // One event at a time, as on Lambda: the lock on the process is the right to invoke it.
    process: Mutex<Child>,
    process_id: u32,
    init_duration: Duration,
    log: Log,
}

impl Function {
    /// Starts `binary` with exactly `env` and the variables that Lambda sets, and waits until it asks for its first
    /// event. A variable of `env` overrides Lambda's of the same name.
    pub async fn start(binary: &Path, env: impl IntoIterator<Item = (String, String)>) -> Result<Self, StartError> {
        Self::start_for(TIMEOUT, binary, env).await
    }

    /// The same, for a function whose invocations may take `timeout`.
    pub async fn start_for(
        timeout: Duration,
        binary: &Path,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, StartError> {
        let name = environment::function_name(binary);
        let (api, start) = Api::serve(environment::arn(&name), timeout).await?;
        let log = Log::new()?;
        let begun = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment::variables(&name, api.address))
            .envs(env)
            .stdin(Stdio::null())
            .stdout(log.writer()?)
            .stderr(log.writer()?)
            .kill_on_drop(true)
            .spawn()?;
        let process_id = child.id().unwrap_or_default();
        let start = tokio::select! {
            // An error report and the exit after it may both be there. The report says more.
            biased;
            Ok(start) = start => start,
            status = child.wait() => return Err(StartError::Exited(log.exit(status?))),
            () = tokio::time::sleep(TIMEOUT) => {
                return Err(StartError::TimedOut { output: log.read() });
            }
        };
        match start {
            Start::Ready(at) => {
                Ok(Self { api, process: Mutex::new(child), process_id, init_duration: at.duration_since(begun), log })
            }
            Start::Failed(report) => Err(StartError::Reported { report, output: log.read() }),
        }
    }

    /// From the start of the process to its first request for an event.
    #[must_use]
    pub fn init_duration(&self) -> Duration {
        self.init_duration
    }

    /// The process's id, for facts that only the operating system knows.
    #[must_use]
    pub fn process_id(&self) -> u32 {
        self.process_id
    }

    /// Kills the process and waits until it is gone.
    pub async fn stop(self) -> io::Result<()> {
        self.process.lock().await.kill().await
    }

    /// The log of the process so far, standard output and standard error together. It contains everything that was
    /// written before an answer once [`Function::invoke`] has returned.
    #[must_use]
    pub fn output(&self) -> String {
        self.log.read()
    }

    /// Sends an event and waits for its outcome; for a stream, until its end.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        match self.post(event).await? {
            Posted::Whole(body) => serde_json::from_slice(&body).map_err(InvokeError::NotJson),
            Posted::Streamed(chunks) => Ok(Streamed::begin(chunks).await?.collect().await),
        }
    }

    /// Sends an event to a function that streams its answers, and waits for the beginning of the answer.
    pub async fn invoke_streaming(&self, event: &Value) -> Result<Streamed, InvokeError> {
        match self.post(event).await? {
            Posted::Whole(_) => Err(InvokeError::Mode),
            Posted::Streamed(chunks) => Streamed::begin(chunks).await,
        }
    }

    async fn post(&self, event: &Value) -> Result<Posted, InvokeError> {
        let mut process = self.process.lock().await;
        let answer = self.api.send(event);
        let outcome = tokio::select! {
            biased;
            outcome = timeout(TIMEOUT, answer) => outcome,
            status = process.wait() => return Err(InvokeError::Exited(self.log.exit(status?))),
        };
        let Ok(Ok(outcome)) = outcome else {
            process.start_kill()?;
            return Err(InvokeError::TimedOut);
        };
        outcome.map_err(InvokeError::Reported)
    }
}

/// The log file of a process. It is a file instead of a pipe, so that its content can be read at once, without waiting
/// for a reader.
struct Log(NamedTempFile);

impl Log {
    fn new() -> io::Result<Self> {
        NamedTempFile::new().map(Self)
    }

    /// Another handle of the same file, which shares its position: no writer overwrites another.
    fn writer(&self) -> io::Result<Stdio> {
        self.0.as_file().try_clone().map(Stdio::from)
    }

    /// The content of the log. If it cannot be read, the error is the content, which then fails an assertion.
    fn read(&self) -> String {
        fs::read(self.0.path()).map_or_else(
            |error| format!("(the log cannot be read: {error})"),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    fn exit(&self, status: std::process::ExitStatus) -> Exit {
        Exit { status, output: self.read() }
    }
}

#[cfg(all(test, unix))]
mod tests;
