//! `greenroom live`: lists and ends live connections.

use std::time::Duration;

use clap::Subcommand;
use greenroom_core::{
    clock::{Clock, Timestamp},
    config::Setting,
    id::ConnectionName,
    model::{
        Event,
        live::{DEFAULT_VHOST, EndedBy, LiveConnection, MEDIA_APP, Stream},
    },
};
use greenroom_media::audit::{self, Decision, Party};
use greenroom_store::{Scope, Selection, Store, Terminated, Terminating, Window};

use super::{CliError, target::StoreArgs, text::one_line};

/// The number of connections, or of events, that are read at once.
const PAGE: usize = 500;

/// The settings that ending a connection needs.
const SETTINGS: &[Setting] = &[Setting::StreamsHold, Setting::MediaSessionGrace];

#[derive(Debug, Subcommand)]
pub(crate) enum LiveCommand {
    /// List the live connections: virtual host, application, stream, name, role, state, and since when
    List {
        /// Only the connections of this application: an event's number, `openvidu`, or a media server's own
        #[arg(long)]
        app: Option<String>,
        /// Only the connections of this virtual host
        #[arg(long)]
        vhost: Option<String>,
        #[command(flatten)]
        place: StoreArgs,
    },
    /// End a connection: its token dies, and nobody is let in under its name for a while
    Terminate {
        /// Its application
        app: String,
        /// Its stream
        stream: String,
        /// Its name
        name: String,
        /// The connection's virtual host
        #[arg(long, default_value = DEFAULT_VHOST)]
        vhost: String,
        /// How many seconds its name is refused, instead of `STREAMS_HOLD`
        #[arg(long, value_name = "SECONDS")]
        hold: Option<u32>,
        #[command(flatten)]
        place: StoreArgs,
    },
}

impl LiveCommand {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        match self {
            Self::List { app, vhost, place } => list(&place.open().await?.store, app, vhost).await,
            Self::Terminate { app, stream, name, vhost, hold, place } => {
                let open = place.open().await?;
                let config = open.config(SETTINGS)?;
                let name = ConnectionName::parse(&name).ok_or(CliError::NoConnection)?;
                let what = Terminating {
                    stream: &Stream { vhost, app, stream },
                    name: &name,
                    now: Clock::system().now(),
                    hold: hold.map_or(config.streams.hold, |seconds| Duration::from_secs(seconds.into())),
                    grace: config.media_session_grace,
                    by: EndedBy::OPERATOR,
                    passes_on: true,
                };
                // The server or housekeeping tells the media server, because they know whether there is one. If there
                // is none, they end the connection.
                let ended = open.store.terminate(&what, |_| true).await?.ok_or(CliError::NoConnection)?;
                // Whoever takes the job need not wait for this command's lease of it to end.
                if let Terminated::Ended { message: Some(job), .. } | Terminated::Ending { job: Some(job), .. } = &ended
                {
                    open.store.leave_job(job, Clock::system().now()).await?;
                }
                let decision = Decision::new(audit::Event::ConnectionTerminated).of(Party::from(ended.connection()));
                decision.record_of_command(&open.store).await;
                Ok(())
            }
        }
    }
}

async fn list(store: &Store, app: Option<String>, vhost: Option<String>) -> Result<(), CliError> {
    let now = Clock::system().now();
    let scopes = if let Some(app) = app {
        vec![(vhost.unwrap_or_else(|| DEFAULT_VHOST.to_owned()), app)]
    } else {
        let all = all_apps(store, now).await?.into_iter();
        all.filter(|(of, _)| vhost.as_ref().is_none_or(|vhost| vhost == of)).collect()
    };
    for (vhost, app) in scopes {
        let scope = Scope { vhost, app, stream: None };
        let mut after = None;
        loop {
            let page = store.live_page(&scope, after.as_deref(), PAGE, now).await?;
            page.connections.iter().for_each(|connection| print(connection, now));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// All applications that may have connections, without duplicates.
async fn all_apps(store: &Store, now: Timestamp) -> Result<Vec<(String, String)>, CliError> {
    let mut apps = Vec::new();
    let mut after = Some(0);
    while after.is_some() {
        let page = store.page::<Event>(Selection::all(), Window { skip: 0, limit: PAGE, after }, None).await?;
        apps.extend(page.records.iter().map(|event| (DEFAULT_VHOST.to_owned(), event.id.to_string())));
        after = page.next.map(|next| next.after);
    }
    apps.push((DEFAULT_VHOST.to_owned(), MEDIA_APP.to_owned()));
    for known in store.known_apps(now).await? {
        if !apps.contains(&known) {
            apps.push(known);
        }
    }
    Ok(apps)
}

fn print(connection: &LiveConnection, now: Timestamp) {
    let Stream { vhost, app, stream } = &connection.stream;
    let since = connection.connected_at.unwrap_or(connection.created_at);
    let words = [vhost.as_str(), app, stream, connection.name.as_str()].map(one_line).join("\t");
    println!("{words}\t{}\t{}\t{since}", spelt(&connection.role), spelt(&connection.state(now)));
}

/// A value in the API's spelling.
fn spelt(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
