//! How a start or an invocation fails.

use std::{fmt, io, process::ExitStatus};

use serde::Deserialize;

/// What a function tells Lambda about a failure of its own.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{error_type}: {error_message}")]
pub struct Report {
    /// The kind of failure, as the function names it.
    pub error_type: String,
    /// The function's own words for it.
    pub error_message: String,
}

/// The end of a function's process, with everything it had logged.
#[derive(Clone, Debug)]
pub struct Exit {
    /// How the process ended.
    pub status: ExitStatus,
    /// Its standard output and standard error, as interleaved by the process.
    pub output: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, having logged:\n{}", self.status, self.output)
    }
}

/// A function that never asked for its first event.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The testbed could not set itself up, or the binary could not be run.
    #[error("the function could not be run")]
    Setup(#[from] io::Error),
    /// The process ended before it asked for an event.
    #[error("the function ended during its start: {0}")]
    Exited(Exit),
    /// The function reported an error of its initialisation.
    #[error("the function reported an error of its start: {report}; it logged:\n{output}")]
    Reported {
        /// The error it reported.
        report: Report,
        /// What it had logged.
        output: String,
    },
    /// The function did nothing within the time Lambda gives a start.
    #[error("the function did not ask for an event in time; it logged:\n{output}")]
    TimedOut {
        /// What it had logged.
        output: String,
    },
}

impl StartError {
    /// What the process had logged before it failed; empty when it never ran.
    #[must_use]
    pub fn output(&self) -> &str {
        match self {
            Self::Setup(_) => "",
            Self::Exited(exit) => &exit.output,
            Self::Reported { output, .. } | Self::TimedOut { output } => output,
        }
    }
}

/// An event that got no response.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function reported an error instead of a response.
    #[error("the function failed: {0}")]
    Reported(Report),
    /// The process ended, which API Gateway shows its caller as a 502.
    #[error("the function ended: {0}")]
    Exited(Exit),
    /// The function's time was over; its process has been killed, as Lambda does.
    #[error("the function did not answer in time")]
    TimedOut,
    /// What the function posted is not JSON.
    #[error("the function's response is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The function's response ended before its head did.
    #[error("the function's response broke off")]
    BrokenOff,
    /// The function streamed its response, or did not, against what was asked for.
    #[error("the function's response is streamed or not, against what was expected")]
    Mode,
    /// The process could not be watched.
    #[error("the function's process could not be watched")]
    Process(#[from] io::Error),
}
