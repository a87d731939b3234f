//! `greenroom serve`: all APIs in one process.

use std::{
    future::IntoFuture,
    io,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request},
    middleware::{from_fn_with_state, map_request},
};
use shared::{App, clock::Clock, delivery, log, model::guesses::Source};
use tokio::{net::TcpListener, sync::watch, time::MissedTickBehavior};

use super::{
    CliError, DataDir,
    connection::{Stop, attentive, end_streams},
    introduction::introduce,
    place::Place,
};
use crate::embedded::Embedded;

/// How long requests in flight may take after the server was told to stop: longer than any request may.
const DRAIN: Duration = Duration::from_secs(15);
/// How often errands to media servers are looked for that somebody put off or left behind.
const DELIVER: Duration = Duration::from_secs(2);
/// How often all else is done that nobody asks for, such as deleting expired items from the embedded database.
const CLEAN: Duration = Duration::from_mins(1);

/// Serve all APIs on this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 3000)]
    port: u16,
    #[command(flatten)]
    data_dir: DataDir,
    /// Keep everything in memory, and nothing when the server stops
    #[arg(long)]
    memory: bool,
    /// Serve the embedded DynamoDB to other tools, on this port of 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT")]
    dynamodb_port: Option<u16>,
}

impl Serve {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let place = Place::find((!self.memory).then_some(self.data_dir.path.as_path())).await?;
        log::init(&place.config.log);
        let listener = listen(self.port).await?;
        let url = format!("http://{}", listener.local_addr().map_err(CliError::Server)?);
        let (stop, stopped) = watch::channel(());
        let stopped = Stop(stopped);
        let database = match (&place.embedded, self.dynamodb_port) {
            (Some(embedded), Some(port)) => Some(serve_database(embedded, port, &stopped).await?),
            (None, Some(_)) => return Err(CliError::NotEmbedded),
            (_, None) => None,
        };
        let app = App::new(place.config.clone(), place.store.clone(), Clock::system());
        let housekeeper = tokio::spawn(keep_house(app.clone(), place.embedded.clone()));
        // Before anybody is told where we are: whoever knows may also stop us.
        let told_to_stop = told_to_stop().map_err(CliError::Server)?;
        if let Some(data_dir) = &place.data_dir {
            data_dir.set_address(&url)?;
        }
        introduce(&url, &place, database.as_deref());
        app.warn_of_unsigned_webhooks();
        // A table that cannot be read now may be there for the first request.
        let _ = place.store.prime().await;
        let service = crate::service(&app);
        let service = service.layer(map_request(note_source)).layer(from_fn_with_state(stopped.clone(), end_streams));
        let service = service.into_make_service_with_connect_info::<SocketAddr>();
        let server = axum::serve(attentive(listener), service).with_graceful_shutdown(stopped.told()).into_future();
        tokio::pin!(server);
        let outcome = tokio::select! {
            outcome = &mut server => outcome,
            () = told_to_stop => {
                // Fails only where nobody listens any more.
                let _ = stop.send(());
                tokio::time::timeout(DRAIN, server).await.unwrap_or(Ok(()))
            }
        };
        housekeeper.abort();
        outcome.map_err(CliError::Server)
    }
}

/// Says where a request came from.
async fn note_source(ConnectInfo(address): ConnectInfo<SocketAddr>, mut request: Request) -> Request {
    request.extensions_mut().insert(Source(Some(address.ip())));
    request
}

async fn listen(port: u16) -> Result<TcpListener, CliError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| CliError::Port(port, error))
}

/// Serves the embedded database beside the gateway; returns where.
async fn serve_database(embedded: &Embedded, port: u16, stopped: &Stop) -> Result<String, CliError> {
    let listener = listen(port).await?;
    let url = format!("http://{}", listener.local_addr().map_err(CliError::Server)?);
    let (embedded, told) = (embedded.clone(), stopped.told());
    tokio::spawn(async move {
        if let Err(error) = embedded.listen(listener, told).await {
            tracing::error!(%error, "the embedded database is no longer served");
        }
    });
    Ok(url)
}

/// Does what DynamoDB does by itself, and on AWS a function.
async fn keep_house(app: App, embedded: Option<Embedded>) {
    // Whoever has much to clear away keeps no errand waiting.
    tokio::join!(deliver(&app), clean(&app, embedded));
}

async fn deliver(app: &App) {
    let mut ticks = tokio::time::interval(DELIVER);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = delivery::deliver_due(app, &|| true).await {
            tracing::warn!(%error, "errands to media servers cannot be looked up");
        }
    }
}

async fn clean(app: &App, embedded: Option<Embedded>) {
    let mut ticks = tokio::time::interval(CLEAN);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Some(embedded) = &embedded {
            sweep(embedded.clone()).await;
        }
        // What failed is in the log.
        let _ = housekeeping::run(app, &|| true).await;
    }
}

/// Deletes expired items.
async fn sweep(embedded: Embedded) {
    match tokio::task::spawn_blocking(move || embedded.sweep()).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "expired items cannot be deleted"),
        Err(error) => tracing::warn!(%error, "expired items cannot be deleted"),
    }
}

/// Takes Ctrl-C and SIGTERM from now on; what is returned waits for one of them.
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(async move {
            tokio::select! {
                _ = interrupted.recv() => {}
                _ = terminated.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
