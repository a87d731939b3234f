//! Terminating live connections, in the table and at their media server (`docs/apis/ovenmediaengine.md`).

use std::time::Duration;

use greenroom_core::{
    config::Config,
    id::ConnectionName,
    model::live::{EndedBy, Ending, LiveConnection, Stream},
};
use greenroom_store::{ClaimedJob, StoreError, Terminated, Terminating};
use tokio::time::timeout;

use crate::{
    Services,
    audit::{Decision, Event, Party},
    cut::{NotCut, cut_off},
    delivery::{deliver_claimed, is_wanted},
};

/// How long a request waits for a media server to cut a viewer off.
const PASSING_ON: Duration = Duration::from_secs(3);

/// The outcome of a termination.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The connection is over, and its token is dead.
    Ended(LiveConnection),
    /// The connection is over, and its name is held. The LiveKit server has still to be told to remove the participant.
    Untold(LiveConnection),
    /// The media server cuts the connection off at the end of its right, or has still to be told. The connection stays
    /// in the list until then.
    Ending(LiveConnection),
    /// The media server cannot cut the connection off. It stays, and nobody else is let in under its name.
    Impossible(LiveConnection),
}

impl Outcome {
    /// The connection as it is now.
    #[must_use]
    pub fn connection(&self) -> &LiveConnection {
        match self {
            Self::Ended(connection)
            | Self::Untold(connection)
            | Self::Ending(connection)
            | Self::Impossible(connection) => connection,
        }
    }

    /// The decision for the audit log, and its actor. If the connection is still there, it says why.
    pub fn decision<'a>(&'a self, by: Party<'a>) -> Decision<'a> {
        let decision = Decision::new(Event::ConnectionTerminated).by(by).of(Party::from(self.connection()));
        match self {
            Self::Ended(_) => decision,
            Self::Untold(_) | Self::Ending(_) => decision.because("ends_later"),
            Self::Impossible(_) => decision.because("cannot_be_cut_off"),
        }
    }

    fn of(services: &Services, connection: LiveConnection) -> Self {
        if !connection.is_live(services.clock.now()) {
            Self::Ended(connection)
        } else if connection.ending.is_some() {
            Self::Ending(connection)
        } else {
            Self::Impossible(connection)
        }
    }
}

/// Ends a live connection and its token, whatever it came from, and lets nobody in under its name for `hold`. `None` if
/// there is no such connection. If a media server has to end it, the media server is told first.
pub async fn terminate(
    services: &Services,
    stream: &Stream,
    name: &ConnectionName,
    hold: Duration,
    by: EndedBy,
) -> Result<Option<Outcome>, StoreError> {
    let (now, grace, passes_on) =
        (services.clock.now(), services.config.media_session_grace, services.config.streams_api.is_some());
    let what = Terminating { stream, name, now, hold, grace, by, passes_on };
    match services.store.terminate(&what, |message| is_wanted(&services.config, message)).await? {
        None => Ok(None),
        Some(Terminated::Ended { connection, message }) => {
            let is_told = match &message {
                Some(message) => deliver_claimed(services, message).await,
                None => true,
            };
            // OpenTok ends the token with the connection, so nobody comes back meanwhile.
            let untold = !is_told && connection.room().is_some();
            Ok(Some(if untold { Outcome::Untold(connection) } else { Outcome::Ended(connection) }))
        }
        Some(Terminated::Ending { connection, ending, job }) => {
            pass_on(services, connection, &ending, job.as_ref()).await.map(Some)
        }
    }
}

/// Has the media server cut a viewer off. If it does not answer, the job does that later.
async fn pass_on(
    services: &Services,
    connection: LiveConnection,
    ending: &Ending,
    job: Option<&ClaimedJob>,
) -> Result<Outcome, StoreError> {
    let by = (ending.by.as_str(), job.map(|job| &job.key));
    let told = timeout(PASSING_ON, cut_off(services, &connection.stream, &connection.name, by)).await;
    match told {
        Ok(Ok(Some(connection))) => return Ok(Outcome::of(services, connection)),
        Ok(Ok(None)) => return Ok(Outcome::Ended(connection)),
        Ok(Err(NotCut::Store(error))) => return Err(error),
        Ok(Err(NotCut::MediaServer(error))) => tracing::warn!(%error, "a media server is told later whom to cut off"),
        Err(_) => tracing::warn!("a media server is told later whom to cut off: it did not answer in time"),
    }
    if let Some(job) = job
        && let Err(error) = services.store.put_off_job(job, services.clock.now()).await
    {
        // The job is due when its lease is over.
        tracing::warn!(%error, "an outbox message to a media server cannot be put off");
    }
    Ok(Outcome::Ending(connection))
}

/// The effect of terminating a media server's viewer in a deployment, in one line.
#[must_use]
pub fn capability(config: &Config) -> &'static str {
    capability_of(config.streams_api.is_some(), config.streams.lifetime.is_some())
}

/// The same, depending on whether `STREAMS_API_URL` and `STREAMS_LIFETIME` are set.
#[must_use]
pub const fn capability_of(api: bool, lifetime: bool) -> &'static str {
    match (api, lifetime) {
        (false, false) => {
            "a terminated viewer is refused when they come again; no media server is told (STREAMS_API_URL is not set)"
        }
        (false, true) => {
            "a terminated viewer is refused when they come again; no media server is told (STREAMS_API_URL is not set), \
             but one that comes by WebRTC has to ask again after STREAMS_LIFETIME"
        }
        (true, false) => {
            "an Enterprise OvenMediaEngine cuts off at once who is terminated; the open-source one cannot, which is \
             answered with 501 (STREAMS_LIFETIME is not set)"
        }
        (true, true) => {
            "an Enterprise OvenMediaEngine cuts off at once who is terminated; the open-source one at the end of \
             STREAMS_LIFETIME who comes by WebRTC (202), and nobody else (501)"
        }
    }
}
