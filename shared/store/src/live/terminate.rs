//! Terminating a connection. One transaction ends the connection and its token, holds its name, and puts the outbox
//! message for its media server.

use std::time::Duration;

use greenroom_core::{
    clock::Timestamp,
    id::{ConnectionId, ConnectionName, random_hex},
    model::{
        EventSession,
        job::OutboxMessage,
        live::{EndedBy, Ending, LiveConnection, Source, Stream},
    },
};

use super::{
    change::live_change,
    ledger::{ledger_change, ledger_put},
    stream::ban_put,
};
use crate::{
    ClaimedJob, JobKey, Store, StoreError,
    attempts::Attempts,
    error::is_failed_condition,
    job::{claimed_put, job_delete},
    record::main_key,
    transaction::Committed,
    write::Write,
};

/// The connection to terminate, and how.
#[derive(Clone, Debug)]
pub struct Terminating<'a> {
    /// The stream.
    pub stream: &'a Stream,
    /// The connection's name in the stream.
    pub name: &'a ConnectionName,
    /// The time of the termination.
    pub now: Timestamp,
    /// How long nobody is let in under the name.
    pub hold: Duration,
    /// How long a media session without a live token is kept.
    pub grace: Duration,
    /// Who terminates it.
    pub by: EndedBy,
    /// Whether a media server has to cut off the stream's viewers.
    pub passes_on: bool,
}

/// The outcome of a termination.
#[derive(Clone, Debug)]
pub enum Terminated {
    /// The connection is over.
    Ended {
        /// The connection as it is now.
        connection: LiveConnection,
        /// The job that tells the media provider, if there is one. This process holds its lease.
        message: Option<ClaimedJob>,
    },
    /// A media server has to cut the viewer off. The viewer is there until then.
    Ending {
        /// The connection as it is now.
        connection: LiveConnection,
        /// The termination that is under way.
        ending: Ending,
        /// The job that tells the media server. This process holds its lease. `None` if an earlier request put one.
        job: Option<ClaimedJob>,
    },
}

/// A media server's answer to cutting a viewer off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The viewer is gone.
    Off,
    /// The media server has no such call.
    Impossible,
}

/// The connection to end, and the writes that end it if it belongs to a media session.
struct Target {
    connection: LiveConnection,
    elsewhere: Vec<Write>,
}

impl Terminated {
    /// The outcome for a connection. `job` tells a media server or the media provider of the end, if there is something
    /// to tell and no earlier request put such a job.
    fn of(connection: LiveConnection, job: Option<ClaimedJob>) -> Self {
        match connection.ending.clone() {
            Some(ending) => Self::Ending { connection, ending, job },
            None => Self::Ended { connection, message: job },
        }
    }

    /// The connection as it is now.
    #[must_use]
    pub fn connection(&self) -> &LiveConnection {
        match self {
            Self::Ended { connection, .. } | Self::Ending { connection, .. } => connection,
        }
    }
}

impl Store {
    /// Ends a live connection and its token, whatever it came from, and holds its name. `None` if there is none. If a
    /// media server has to cut a viewer off, the viewer stays until it has done so.
    ///
    /// Two requests, for a media session's connection up to five, however many connections the stream has. `is_wanted`
    /// says whether there is a media server to tell.
    pub async fn terminate(
        &self,
        what: &Terminating<'_>,
        is_wanted: impl Fn(&OutboxMessage) -> bool,
    ) -> Result<Option<Terminated>, StoreError> {
        let id = random_hex();
        let (mut told, mut banned_for_longer) = (None, false);
        let mut attempts = Attempts::default();
        loop {
            // Boxed, because the future for a media session is large.
            let media = Box::pin(self.media_target(what));
            let (known, media) = tokio::try_join!(self.live_connection(what.stream, what.name), media)?;
            if let Some(connection) = known.clone().filter(|known| known.terminated_by.as_ref() == Some(&id)) {
                // This termination is in the item already: an earlier attempt succeeded, and its answer was lost.
                return Ok(Some(Terminated::of(connection, told)));
            }
            let target = media.or_else(|| live_target(known.as_ref(), what.now));
            let Some(Target { connection, elsewhere }) = target else { return Ok(None) };
            let (after, message) = decided(what, connection.clone(), &id);
            let mut writes = elsewhere;
            writes.extend(termination(known.as_ref(), &connection, &after, what.now)?);
            told = None;
            if let Some(message) = message.filter(&is_wanted) {
                let (job, put) = claimed_put(message.into(), what.now)?;
                told = Some(job);
                writes.push(put);
            }
            let ban = ban(&after)?.filter(|_| !banned_for_longer);
            let has_ban = ban.is_some();
            writes.extend(ban);
            match self.transact(&writes).await? {
                Committed::Yes => return Ok(Some(Terminated::of(after, told))),
                // The ban is the last write.
                Committed::No(reasons) if has_ban && reasons.last().is_some_and(is_failed_condition) => {
                    banned_for_longer = true;
                    attempts.again()?;
                }
                Committed::No(_) if self.is_orphan(&after).await? => return Ok(None),
                Committed::No(_) => attempts.lost().await?,
            }
        }
    }

    /// Records a media server's answer to cutting a viewer off. Returns the connection as it is then; `None` if there
    /// is none left. Also deletes the job that told the media server, if the caller has it.
    ///
    /// Two requests.
    pub async fn take_note_of_cut(
        &self,
        (stream, name): (&Stream, &ConnectionName),
        (by, job): (&str, Option<&JobKey>),
        cut: Cut,
        now: Timestamp,
    ) -> Result<Option<LiveConnection>, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let Some(known) = self.live_connection(stream, name).await? else { return Ok(None) };
            if !(known.is_live(now) && known.is_ending_by(by)) {
                // The viewer has gone, or another one has come since.
                return Ok(Some(known));
            }
            let after = match cut {
                Cut::Off => known.clone().cut_off(now),
                Cut::Impossible => known.clone().not_cut_off(),
            };
            let mut writes = live_change(Some(&known), after.clone(), now)?;
            writes.extend(job.map(job_delete));
            if let Committed::Yes = self.transact(&writes).await? {
                return Ok(Some(after));
            }
            attempts.lost().await?;
        }
    }

    /// The connection of a media session, if the name is of a live one.
    async fn media_target(&self, what: &Terminating<'_>) -> Result<Option<Target>, StoreError> {
        let (session, connection) = (what.stream.media_session(), ConnectionId::parse(what.name.as_str()));
        let (Some(session), Some(connection)) = (session, connection) else { return Ok(None) };
        let removal = self.connection_removal(&session, &connection, what.now, what.grace).await?;
        Ok(removal
            .ok()
            .map(|(connection, elsewhere)| Target { connection: LiveConnection::of_media(&connection), elsewhere }))
    }

    /// Whether a connection's session was deleted.
    async fn is_orphan(&self, connection: &LiveConnection) -> Result<bool, StoreError> {
        match (&connection.source, connection.stream.event_session()) {
            (Source::Event { .. }, Some((_, session))) => Ok(self.record::<EventSession>(session).await?.is_none()),
            _ => Ok(false),
        }
    }
}

fn live_target(known: Option<&LiveConnection>, now: Timestamp) -> Option<Target> {
    // A participant who has gone may return with the same token at any time. Terminating ends that token.
    let live = known.filter(|known| known.is_live(now) || known.may_return(now));
    live.map(|live| Target { connection: live.clone(), elsewhere: Vec::new() })
}

/// The writes that leave an ended connection under its name. `before` is the connection as it was.
fn termination(
    known: Option<&LiveConnection>,
    before: &LiveConnection,
    ended: &LiveConnection,
    now: Timestamp,
) -> Result<Vec<Write>, StoreError> {
    let mut writes = live_change(known, ended.clone(), now)?;
    match ended.source {
        Source::Media if !known.is_some_and(|known| known.is_live(now)) => writes.extend(ledger_put(ended)?),
        // Its entry so far is that of the session's connection.
        Source::MediaRoom { .. } if known.is_none() => writes.extend(ledger_change(Some(before), ended, now)?),
        Source::Event { .. } => writes.extend(session_check(&ended.stream)),
        Source::Media | Source::MediaRoom { .. } | Source::Admission(_) => {}
    }
    Ok(writes)
}

/// The writes that leave the ended connection of a media session's room under its name, and the job that removes its
/// participant. The caller's process holds the lease.
pub(crate) fn removal_from_room(
    before: &LiveConnection,
    by: EndedBy,
    now: Timestamp,
) -> Result<(Vec<Write>, Option<ClaimedJob>), StoreError> {
    let ended = before.clone().terminated(now, Duration::ZERO, &random_hex(), by);
    let mut writes = termination(None, before, &ended, now)?;
    let job = message(&ended).map(|message| claimed_put(message.into(), now)).transpose()?;
    let job = job.map(|(job, put)| {
        writes.push(put);
        job
    });
    Ok((writes, job))
}

/// A condition that the event's session exists. Its deletion ends all of its connections.
fn session_check(stream: &Stream) -> Option<Write> {
    let (_, session) = stream.event_session()?;
    Some(Write::check(main_key::<EventSession>(session)).when_there())
}

/// The write that bans the address of a terminated viewer for those without a name.
fn ban(after: &LiveConnection) -> Result<Option<Write>, StoreError> {
    match (&after.source, after.held_until) {
        (Source::Admission(client), Some(until)) if after.is_viewer() => {
            ban_put(&after.stream, &client.address, until).map(Some)
        }
        _ => Ok(None),
    }
}

/// The connection after its termination, and the outbox message about it.
fn decided(what: &Terminating<'_>, connection: LiveConnection, id: &str) -> (LiveConnection, Option<OutboxMessage>) {
    if !(what.passes_on && connection.is_viewer() && connection.is_live(what.now)) {
        let ended = connection.terminated(what.now, what.hold, id, what.by);
        let message = message(&ended);
        return (ended, message);
    }
    let mut after = connection.ending(what.now, what.hold, id, what.by);
    let Some(ending) = &mut after.ending else { return (after, None) };
    if ending.has_job {
        // An earlier request asked for the same, and its message is still to be delivered.
        return (after, None);
    }
    ending.has_job = true;
    let by = ending.by.clone();
    let (stream, name) = (after.stream.clone(), after.name.clone());
    (after, Some(OutboxMessage::TerminateSession { stream, name, by }))
}

/// The outbox message to the media provider about the end of a connection.
pub(super) fn message(ended: &LiveConnection) -> Option<OutboxMessage> {
    let (stream, name) = (ended.stream.clone(), ended.name.clone());
    match &ended.source {
        Source::Event { provider_session: room } | Source::MediaRoom { room } if ended.room().is_some() => {
            Some(OutboxMessage::RemoveParticipant { room: room.clone(), name })
        }
        Source::Event { provider_session } => {
            Some(OutboxMessage::DisconnectProvider { provider_session: provider_session.clone(), stream, name })
        }
        // The participants of a media session hold only Greenroom's token. A media server that has to cut off its
        // viewers is told before they end.
        Source::Media | Source::MediaRoom { .. } | Source::Admission(_) => None,
    }
}
