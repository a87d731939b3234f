//! `greenroom sessions`: the sessions of events, and the media providers that made them.

use std::collections::BTreeMap;

use clap::Subcommand;
use futures_util::{StreamExt, stream};
use greenroom_core::{
    clock::Clock,
    model::{Event, EventSession, RoomName},
};
use greenroom_media::provider::{Media, NewSession};
use greenroom_store::{Conflict, Parent, Selection, Store, StoreError, Stored, Window};

use super::{CliError, media, target::StoreArgs};

/// The number of sessions that are read at once.
const PAGE: usize = 100;
/// The number of sessions that are made anew at once.
const MAX_CONCURRENT: usize = 8;

#[derive(Debug, Subcommand)]
pub(crate) enum SessionsCommand {
    /// Make the sessions of other media providers anew at the configured one, and say how many
    Move {
        /// Only the sessions of this event
        #[arg(long, value_name = "NUMBER")]
        event: Option<u64>,
        #[command(flatten)]
        place: StoreArgs,
    },
}

/// What became of a session.
#[derive(Clone, Copy)]
enum Outcome {
    Moved,
    /// The configured provider has it.
    There,
    /// The provider made none, or somebody else changed the session meanwhile.
    Failed(u64),
    /// It was deleted meanwhile.
    Gone,
}

/// How many sessions were looked at, and what became of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    moved: usize,
    there: usize,
    /// The numbers of those that were not moved.
    failed: Vec<u64>,
}

/// Why a session was not changed.
enum NotMoved {
    There,
    Changed,
    Gone,
    Store(StoreError),
}

impl From<StoreError> for NotMoved {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contended => Self::Changed,
            error => Self::Store(error),
        }
    }
}

impl From<Conflict> for NotMoved {
    fn from(conflict: Conflict) -> Self {
        match conflict {
            Conflict::Gone | Conflict::NoParent(..) => Self::Gone,
            _ => Self::Changed,
        }
    }
}

impl SessionsCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let Self::Move { event, place } = self;
        let open = place.open().await?;
        let media = Media::new(&media::of(&place).await?, &Clock::system());
        let mut tally = Tally::default();
        let outcome = move_all(&open.store, &media, event, &mut tally).await;
        // What was moved before an error stays moved.
        print!("{}", tally.text());
        outcome?;
        match tally.failed.len() {
            0 => Ok(()),
            failed => Err(CliError::NotMoved(failed, tally.moved + tally.there + failed)),
        }
    }
}

impl Tally {
    fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Moved => self.moved += 1,
            Outcome::There => self.there += 1,
            Outcome::Failed(session) => self.failed.push(session),
            Outcome::Gone => {}
        }
    }

    fn text(&self) -> String {
        let Self { moved, there, failed } = self;
        let numbers = failed.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
        let numbers = if failed.is_empty() { String::new() } else { format!(": {numbers}") };
        format!("moved {moved}, there already {there}, failed {}{numbers}\n", failed.len())
    }
}

/// Makes sessions anew at the provider of new ones, page by page. Each is changed by itself, so the next run completes
/// one that breaks off.
async fn move_all(store: &Store, media: &Media, event: Option<u64>, tally: &mut Tally) -> Result<(), CliError> {
    let selection = if let Some(event) = event {
        store.record::<Event>(event).await?.ok_or(CliError::NoEvent(event))?;
        Selection::of([Parent::Event(event)])
    } else {
        Selection { ended: store.ended_events().await?, ..Selection::all() }
    };
    let mut after = Some(0);
    while after.is_some() {
        let window = Window { skip: 0, limit: PAGE, after };
        let page = store.page::<EventSession>(selection.clone(), window, None).await?;
        after = page.next.map(|next| next.after);
        move_page(store, media, page.records, tally).await?;
    }
    Ok(())
}

async fn move_page(store: &Store, media: &Media, page: Vec<EventSession>, tally: &mut Tally) -> Result<(), CliError> {
    let (there, elsewhere): (Vec<_>, Vec<_>) =
        page.into_iter().partition(|session| media.is_there(&session.session_id));
    tally.there += there.len();
    let (sessions, events): (Vec<_>, Vec<_>) = elsewhere.iter().map(|session| (session.id, session.event)).unzip();
    let (sessions, events) =
        tokio::try_join!(store.records::<EventSession>(&sessions), store.records::<Event>(&events))?;
    let events: BTreeMap<_, _> = events.into_iter().map(|event| (event.record.id, event.record)).collect();
    let moves = sessions.into_iter().filter_map(|session| {
        // The job of an event that has ended deletes its sessions.
        let event = events.get(&session.record.event)?;
        Some(move_one(store, media, event, session))
    });
    let mut moves = stream::iter(moves).buffer_unordered(MAX_CONCURRENT);
    while let Some(outcome) = moves.next().await {
        tally.count(outcome?);
    }
    tally.failed.sort_unstable();
    Ok(())
}

async fn move_one(
    store: &Store,
    media: &Media,
    event: &Event,
    session: Stored<EventSession>,
) -> Result<Outcome, CliError> {
    let EventSession { id, mode, archive, .. } = session.record;
    let purpose = RoomName::EventSession { event: event.id, session: id };
    let made = media.create_session(&NewSession { purpose, mode, archive, location: event.location() }).await;
    let made = match made {
        Ok(made) => made,
        Err(error) if error.is_about_the_request() => return Ok(Outcome::Failed(id)),
        // The next session would fare no better.
        Err(error) => return Err(error.into()),
    };
    let change = |present: &EventSession| {
        if media.is_there(&present.session_id) {
            Err(NotMoved::There)
        } else if (present.mode, present.archive) == (mode, archive) {
            Ok(EventSession { session_id: made.clone(), ..present.clone() })
        } else {
            Err(NotMoved::Changed)
        }
    };
    match store.change_record(session, change).await {
        Ok(_) => Ok(Outcome::Moved),
        Err(NotMoved::There) => Ok(Outcome::There),
        Err(NotMoved::Changed) => Ok(Outcome::Failed(id)),
        Err(NotMoved::Gone) => Ok(Outcome::Gone),
        Err(NotMoved::Store(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
