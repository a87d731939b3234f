//! How a start or an invocation fails.

use std::{fmt, io, process::ExitStatus};

use serde::Deserialize;

/// The error that a function reports to Lambda.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, thiserror::Error)]
#[serde(rename_all = "camelCase")]
#[error("{error_type}: {error_message}")]
pub struct Report {
    /// The kind of the error, as the function names it.
    pub error_type: String,
    /// The message of the error.
    pub error_message: String,
}

/// The end of a function's process, with its whole log.
#[derive(Clone, Debug)]
pub struct Exit {
    /// How the process ended.
    pub status: ExitStatus,
    /// Its standard output and standard error, in the order in which they were written.
    pub output: String,
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, having logged:\n{}", self.status, self.output)
    }
}

/// The failure of a function that never asked for its first event.
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
        /// The log until then.
        output: String,
    },
    /// The function did not ask for an event within the time that Lambda allows for a start.
    #[error("the function did not ask for an event in time; it logged:\n{output}")]
    TimedOut {
        /// The log until then.
        output: String,
    },
}

impl StartError {
    /// The log of the process until the failure; empty if the process never ran.
    #[must_use]
    pub fn output(&self) -> &str {
        match self {
            Self::Setup(_) => "",
            Self::Exited(exit) => &exit.output,
            Self::Reported { output, .. } | Self::TimedOut { output } => output,
        }
    }
}

/// The failure of an event that got no response.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// The function reported an error instead of a response.
    #[error("the function failed: {0}")]
    Reported(Report),
    /// The process ended. API Gateway answers its caller with a 502 then.
    #[error("the function ended: {0}")]
    Exited(Exit),
    /// The function exceeded its timeout, and its process was killed, as Lambda does.
    #[error("the function did not answer in time")]
    TimedOut,
    /// The response of the function is not JSON.
    #[error("the function's response is not JSON")]
    NotJson(#[source] serde_json::Error),
    /// The function's response ended before its head did.
    #[error("the function's response broke off")]
    BrokenOff,
    /// The response was streamed although it should not be, or the other way round.
    #[error("the function's response is streamed or not, against what was expected")]
    Mode,
    /// The process could not be watched.
    #[error("the function's process could not be watched")]
    Process(#[from] io::Error),
}
