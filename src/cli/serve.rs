//! `greenroom serve`: serves all APIs in one process.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request},
    middleware::{from_fn_with_state, map_request},
};
use greenroom_core::{clock::Clock, model::guesses::SourceAddress};
use greenroom_http::App;
use greenroom_media::{jobs, reconcile::reconcile};
use greenroom_telemetry::log;
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::MissedTickBehavior};

#[cfg(unix)]
use super::socket;
use super::{
    CliError, DataDir,
    connection::{CONNECTIONS_MAX, Stop, end_streams, serve},
    introduction::introduce,
    jobs::Jobs,
    place::Place,
    reach::Reach,
    signals::Signals,
};
use crate::embedded::Embedded;

/// The timeout for requests in flight after the server was told to stop. It is longer than any request may take.
const DRAIN: Duration = Duration::from_secs(15);
/// How often due jobs are looked for.
const DELIVER: Duration = Duration::from_secs(2);
/// How often live connections are compared with a LiveKit server.
const COMPARE: Duration = Duration::from_secs(10);
/// How often other periodic work is done, such as deleting expired items from the embedded database.
const CLEAN: Duration = Duration::from_mins(1);

/// Serve all APIs on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Address of this machine to listen on; with 0.0.0.0, all of its addresses, other machines can connect too
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    #[command(flatten)]
    data_dir: DataDir,
    /// Keep everything in memory; when the server stops, all of it is gone
    #[arg(long)]
    memory: bool,
    /// Also serve the embedded DynamoDB to other tools, on this port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    dynamodb_port: Option<u16>,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let place = Place::make((!self.memory).then_some(self.data_dir.path.as_path())).await?;
        log::init(&place.config.log);
        let listener = listen(self.host, self.port).await?;
        let reach = Reach::of(listener.local_addr().map_err(CliError::Server)?);
        let (stop, stopped) = watch::channel(());
        let stopped = Stop(stopped);
        let mut jobs = Jobs::default();
        let database = match (&place.embedded, self.dynamodb_port) {
            (Some(embedded), Some(port)) => {
                let key = place.config.local_dynamodb_key.clone().ok_or(CliError::NotEmbedded)?;
                Some(serve_database(embedded, port, key, &stopped, &mut jobs).await?)
            }
            (None, Some(_)) => return Err(CliError::NotEmbedded),
            (_, None) => None,
        };
        let app = App::new(place.config.clone(), place.store.clone(), Clock::system());
        // The signals are taken before the address is printed, because a caller that knows it may also stop the server.
        let mut signals = Signals::take().map_err(CliError::Server)?;
        if let Some(data_dir) = &place.data_dir {
            data_dir.set_address(&reach.url)?;
        }
        #[cfg(unix)]
        let _socket = match (&place.data_dir, &place.embedded) {
            (Some(data_dir), Some(embedded)) => {
                Some(socket::serve(data_dir, embedded, &reach.url, &stopped, &mut jobs)?)
            }
            _ => None,
        };
        introduce(&reach, &place, database.as_deref()).await?;
        // What it logs comes behind the introduction, whose first line has the address.
        keep_house(&app, place.embedded.as_ref(), &mut jobs);
        app.warn_of_refused_webhooks();
        // A table that cannot be read now may be there for the first request.
        let _ = place.store.prime().await;
        let service = crate::service(&app);
        let service = service.layer(map_request(note_source)).layer(from_fn_with_state(stopped.clone(), end_streams));
        let server = tokio::spawn(serve(listener, service, stopped, CONNECTIONS_MAX));
        let outcome = tokio::select! {
            error = jobs.ended() => Err(error),
            () = signals.next() => Ok(()),
        };
        // This fails only if no receiver is left.
        let _ = stop.send(());
        finish(server, &app, signals).await;
        outcome
    }
}

/// Waits for the requests in flight, until the timeout or a second signal.
async fn finish(mut server: JoinHandle<()>, app: &App, mut signals: Signals) {
    let seconds = DRAIN.as_secs();
    eprintln!("greenroom: finishing the requests in flight, {seconds} seconds at most; Ctrl-C again stops at once");
    let finished = async {
        // This fails if the server panicked, which has been printed.
        let _ = (&mut server).await;
        // Work for callers who have hung up is finished too.
        app.tasks.done().await;
    };
    tokio::select! {
        () = finished => {}
        () = tokio::time::sleep(DRAIN) => {}
        () = signals.next() => {}
    }
    server.abort();
}

/// Adds the address of the caller to a request.
async fn note_source(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(SourceAddress(Some(address.ip())));
    request
}

async fn listen(host: IpAddr, port: u16) -> Result<TcpListener, CliError> {
    let address = SocketAddr::new(host, port);
    TcpListener::bind(address).await.map_err(|error| CliError::Address(address, error))
}

/// Serves the embedded database beside the gateway. Returns its address.
async fn serve_database(
    embedded: &Embedded,
    port: u16,
    key: SecretString,
    stopped: &Stop,
    jobs: &mut Jobs,
) -> Result<String, CliError> {
    let listener = listen(Ipv4Addr::LOCALHOST.into(), port).await?;
    let url = format!("http://{}", listener.local_addr().map_err(CliError::Server)?);
    let (embedded, told) = (embedded.clone(), stopped.told());
    jobs.start("serving the embedded database", async move {
        if let Err(error) = embedded.listen_to_key(listener, key, told).await {
            tracing::error!(%error, "the embedded database is no longer served");
        }
    });
    Ok(url)
}

/// Starts the periodic work that DynamoDB and a function do on AWS. They are separate jobs, so that long clearing holds
/// up no outbox message.
fn keep_house(app: &App, embedded: Option<&Embedded>, jobs: &mut Jobs) {
    jobs.start("telling media servers", deliver(app.clone()));
    if app.config.livekit.is_some() {
        jobs.start("comparing live connections with LiveKit", compare(app.clone()));
    }
    jobs.start("clearing away", clean(app.clone(), embedded.cloned()));
}

async fn deliver(app: App) {
    let mut ticks = tokio::time::interval(DELIVER);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = jobs::run_due(&app.services, &|| true).await {
            tracing::warn!(%error, "what is left to be done cannot be looked up");
        }
    }
}

async fn compare(app: App) {
    // Housekeeping compares them at the start.
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + COMPARE, COMPARE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = reconcile(&app.services, &|| true).await {
            tracing::warn!(%error, "live connections are not compared with LiveKit");
        }
    }
}

async fn clean(app: App, embedded: Option<Embedded>) {
    let mut ticks = tokio::time::interval(CLEAN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(embedded) = &embedded {
            sweep(embedded).await;
        }
        // Failures are logged.
        let _ = greenroom_housekeeping::run(&app, &|| true).await;
    }
}

/// Deletes expired items.
async fn sweep(embedded: &Embedded) {
    if let Err(error) = embedded.sweep().await {
        tracing::warn!(%error, "expired items cannot be deleted");
    }
}
