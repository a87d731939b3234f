//! How long the parts of a request may take.

use std::time::Duration;

/// How long the parts of a request may take, and how often an event stream does something.
///
/// No setting changes them: they depend on each other, on the functions' own timeouts, and on what callers wait for.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    /// The timeout until the answer to a request begins. A function's own timeout is a little longer, so that Greenroom
    /// still answers.
    pub answer: Duration,
    /// How long a write waits for other writes to its item before it gives up.
    pub contention: Duration,
    /// How long an answer waits for the job that its request put. Any runner may do the rest.
    pub job: Duration,
    /// The timeout of the delivery of outbox messages, because a caller waits for the answer.
    pub delivery: Duration,
    /// The timeout of an opening. The media server waits 3 seconds, and then lets nobody in.
    pub opening: Duration,
    /// How long the answer to an opening or a closing waits while the viewers of a publisher who came or went are
    /// settled. The job `settleViewers` does the rest.
    pub settling: Duration,
    /// How often an event stream reads the table. A message is told within a second.
    pub poll: Duration,
    /// After how long without an event a stream sends a comment, so that no proxy closes the connection.
    pub keep_alive: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(12),
            contention: Duration::from_millis(4500),
            job: Duration::from_secs(2),
            delivery: Duration::from_secs(3),
            opening: Duration::from_millis(2500),
            settling: Duration::from_millis(1500),
            poll: Duration::from_millis(500),
            keep_alive: Duration::from_secs(15),
        }
    }
}
