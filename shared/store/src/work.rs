//! Doing the work of jobs.

use greenroom_core::{
    clock::{Clock, InTime, Timestamp},
    model::{job::Work, live::Stream},
};

use super::{JobKey, Store, StoreError};

/// How far one turn of some work got.
#[derive(Clone, Debug)]
pub struct Worked {
    /// Whether nothing is left to do.
    pub done: bool,
    /// The outbox messages that are due now.
    pub messages: Vec<JobKey>,
}

/// The surroundings of the work.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The time.
    pub clock: &'a Clock,
    /// The domain of JIDs.
    pub domain: &'a str,
    /// Whether there is time left.
    pub in_time: InTime<'a>,
}

impl Worked {
    fn done(done: bool) -> Self {
        Self { done, messages: Vec::new() }
    }
}

impl FromIterator<Self> for Worked {
    fn from_iter<I: IntoIterator<Item = Self>>(parts: I) -> Self {
        parts.into_iter().fold(Self::done(true), |mut all, part| {
            all.done &= part.done;
            all.messages.extend(part.messages);
            all
        })
    }
}

impl Store {
    /// Goes on with work until it is done or the time is up. A later call by any process goes on where this one
    /// stopped. `at` is the time at which the work became necessary.
    pub async fn work_off(&self, work: &Work, at: Timestamp, tools: Tools<'_>) -> Result<Worked, StoreError> {
        let in_time = tools.in_time;
        match work {
            Work::ClearEvent { event } => self.clear_event(*event, at, in_time).await,
            Work::ClearSession { event, session, by, provider_session } => {
                // The rooms close first, so that nobody who comes back is taken for a stranger.
                let closed = self.close_rooms_of_session(*event, *session, provider_session.as_ref(), at).await?;
                let stream = Stream::of_session(*event, *session);
                let ended = self.end_live_connections(&stream, *by, at, in_time).await?;
                Ok([closed, ended].into_iter().collect())
            }
            Work::SettleViewers { stream } => self.settle_viewers(stream, tools.clock, in_time).await.map(Worked::done),
            Work::ClearUser { user, username } => {
                self.clear_former_user(*user, username, tools).await.map(Worked::done)
            }
            Work::LeaveEvents { user } => self.leave_managed_events(*user, in_time).await.map(Worked::done),
            Work::Rename { user, before } => self.rename_in_rooms(*user, before, tools).await.map(Worked::done),
            Work::ClearMediaSession { session, closing } => {
                self.clear_media_session(session, closing, at, in_time).await
            }
            Work::ClearArchive { archive } => self.clear_room_archive(archive, in_time).await.map(Worked::done),
        }
    }
}
