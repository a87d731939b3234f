//! Terminating a connection: it, its token, whatever may come under its name, and what its media server is to be told,
//! in one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};

use crate::{
    clock::Timestamp,
    id::{ConnectionId, ConnectionName, ErrandId, random_hex},
    model::{
        EventSession,
        live::{LiveConnection, Source, Stream},
        outbox::Errand,
    },
    store::{RACES, Store, StoreError, pause, record::main_key, transaction::Committed},
};

/// What is to be terminated, and how.
#[derive(Clone, Debug)]
pub struct Terminating<'a> {
    /// The stream.
    pub stream: &'a Stream,
    /// The name in it.
    pub name: &'a ConnectionName,
    /// When.
    pub now: Timestamp,
    /// For how long nobody is let in under its name.
    pub hold: Duration,
    /// How long a media session without a live token stays.
    pub grace: Duration,
}

/// What was terminated.
#[derive(Clone, Debug)]
pub struct Terminated {
    /// The connection, as it is now.
    pub connection: LiveConnection,
    /// What its media server is still to be told.
    pub errand: Option<ErrandId>,
}

/// What ends, and the writes that end it where it lies elsewhere.
struct Target {
    connection: LiveConnection,
    elsewhere: Vec<TransactWriteItem>,
}

impl Store {
    /// Ends a live connection and its token, whatever it came from, and holds its name; `None` where there is none.
    ///
    /// Two requests, of a media session's connection up to five, however many connections the stream has. `is_wanted`
    /// says whether there is a media server to be told.
    pub async fn terminate(
        &self,
        what: &Terminating<'_>,
        is_wanted: impl Fn(&Errand) -> bool,
    ) -> Result<Option<Terminated>, StoreError> {
        let by = random_hex();
        let mut told = None;
        for lost in 0..RACES {
            // On the heap: what is asked of a media session is large.
            let media = Box::pin(self.media_target(what));
            let (known, media) = tokio::try_join!(self.live_connection(what.stream, what.name), media)?;
            if let Some(connection) = known.clone().filter(|known| known.terminated_by.as_ref() == Some(&by)) {
                // An earlier attempt of ours, whose answer was lost.
                return Ok(Some(Terminated { connection, errand: told }));
            }
            let target = media.or_else(|| live_target(known.as_ref(), what.now));
            let Some(Target { connection, elsewhere }) = target else { return Ok(None) };
            let ended = connection.terminated(what.now, what.hold, &by);
            let errand = errand(&ended).filter(&is_wanted);
            let mut writes = elsewhere;
            writes.extend(self.termination(known.as_ref(), &ended, what.now)?);
            let errand = errand.map(|errand| self.errand_put(&errand, what.now)).transpose()?;
            told = errand.map(|(id, put)| {
                writes.push(put);
                id
            });
            match self.transact(writes).await? {
                Committed::Yes => return Ok(Some(Terminated { connection: ended, errand: told })),
                Committed::No(_) if self.is_orphan(&ended).await? => return Ok(None),
                Committed::No(_) => pause(lost).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// A media session's connection, where the name is of a live one.
    async fn media_target(&self, what: &Terminating<'_>) -> Result<Option<Target>, StoreError> {
        let (session, connection) = (what.stream.media_session(), ConnectionId::parse(what.name.as_str()));
        let (Some(session), Some(connection)) = (session, connection) else { return Ok(None) };
        let removal = self.connection_removal(&session, &connection, what.now, what.grace).await?;
        Ok(removal
            .ok()
            .map(|(connection, elsewhere)| Target { connection: LiveConnection::of_media(&connection), elsewhere }))
    }

    /// The writes that leave an ended connection under its name.
    fn termination(
        &self,
        known: Option<&LiveConnection>,
        ended: &LiveConnection,
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut writes = self.live_change(known, ended.clone(), now)?;
        match ended.source {
            Source::Media if !known.is_some_and(|known| known.is_live(now)) => writes.extend(self.ledger_put(ended)?),
            Source::Event { .. } => writes.extend(self.session_check(&ended.stream)?),
            Source::Media | Source::Admission(_) => {}
        }
        Ok(writes)
    }

    /// On condition that the event's session is there: with it, all its connections have ended.
    fn session_check(&self, stream: &Stream) -> Result<Option<TransactWriteItem>, StoreError> {
        let Some((_, session)) = stream.event_session() else { return Ok(None) };
        let check = ConditionCheck::builder()
            .table_name(&*self.table)
            .set_key(Some(main_key::<EventSession>(session).attributes()))
            .condition_expression("attribute_exists(PK)")
            .build()?;
        Ok(Some(TransactWriteItem::builder().condition_check(check).build()))
    }

    /// Whether a connection's session is gone.
    async fn is_orphan(&self, connection: &LiveConnection) -> Result<bool, StoreError> {
        match (&connection.source, connection.stream.event_session()) {
            (Source::Event { .. }, Some((_, session))) => Ok(self.record::<EventSession>(session).await?.is_none()),
            _ => Ok(false),
        }
    }
}

fn live_target(known: Option<&LiveConnection>, now: Timestamp) -> Option<Target> {
    // Whoever has gone may be back with the same token at any time: that is what is ended then.
    let live = known.filter(|known| known.is_live(now) || known.may_return(now));
    live.map(|live| Target { connection: live.clone(), elsewhere: Vec::new() })
}

/// What the media server is to be told of the end of a connection.
pub(super) fn errand(ended: &LiveConnection) -> Option<Errand> {
    let (stream, name) = (ended.stream.clone(), ended.name.clone());
    match &ended.source {
        Source::Event { provider_session } => {
            Some(Errand::DisconnectProvider { provider_session: provider_session.clone(), stream, name })
        }
        Source::Admission(_) => Some(Errand::TerminateSession { stream, name }),
        // The participants of a media session hold nothing but our token.
        Source::Media => None,
    }
}
