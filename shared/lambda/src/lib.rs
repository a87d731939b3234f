//! Running a function on AWS Lambda: its routes, or the duty for which it is invoked.
//!
//! What belongs here knows Lambda's runtime: the events of API Gateway and function URLs, the answers in their form,
//! the start of a process with its [`secrets`], and the end of an invocation. The local command does not link it to
//! serve, and no handler knows whether it runs here or there.

mod answer;
mod event;
mod finishing;
pub mod secrets;

use std::{fmt::Display, process::ExitCode, time::Duration};

use axum::{Router, extract::Request, response::Response};
use greenroom_core::{
    clock::{Clock, InTime, Timestamp},
    config::{Config, Environment, Mail, MailReader, Reader, Setting, Strictness},
    id::RequestId,
};
use greenroom_http::{App, Deadline, RouteTable, Served};
use greenroom_telemetry::{
    log,
    meter::{Meter, Origin, Usage},
    metrics::Line,
};
use lambda_runtime::{Context, Error, LambdaEvent, Runtime, service_fn};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tower::{ServiceExt, layer::layer_fn};

use self::{answer::Answer, event::Event, finishing::Finishing};

/// How long before the end of a function's time no further step is begun. It is longer than any step takes.
const MARGIN: Duration = Duration::from_secs(10);

/// Serves the routes of a function that reads these settings, for as long as the process lives.
///
/// If the configuration is not complete, it fails before the first request, with one message that names everything
/// missing.
///
/// `paths` gives the paths and methods of the same routes. They are read only when a request falls back.
pub async fn serve(router: Router<App>, paths: fn() -> Vec<Served>, settings: &[Setting]) -> ExitCode {
    serve_routes(router, RouteTable::of_routes(paths), settings).await
}

/// Like [`serve`], for a function that sends mails. `mail` reads the settings of mails.
pub async fn serve_with_mail(
    router: Router<App>,
    paths: fn() -> Vec<Served>,
    settings: &[Setting],
    mail: MailReader,
) -> ExitCode {
    exit(run(router, RouteTable::of_routes(paths), settings, mail).await)
}

/// Runs a function without routes each time that it is invoked, whatever the event.
///
/// It starts as a function with routes does. A run that fails is logged, and counts among the function's errors.
pub async fn serve_job<E: Display>(
    settings: &[Setting],
    job: impl AsyncFn(&App, InTime<'_>) -> Result<(), E>,
) -> ExitCode {
    exit(run_job(settings, job).await)
}

async fn run_job<E: Display>(
    settings: &[Setting],
    job: impl AsyncFn(&App, InTime<'_>) -> Result<(), E>,
) -> Result<(), Error> {
    let app = start(settings, no_mail).await?;
    let (app, job) = (&app, &job);
    let invoked = service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let begun = Instant::now();
        let meter = Meter::new(Origin::NONE);
        let end = Timestamp::from_millis(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
        let in_time = || app.clock.now() + MARGIN < end;
        let outcome = meter.clone().scope(job(app, &in_time)).await.map_err(|error| error.to_string());
        report(app, outcome.is_ok(), begun.elapsed(), &meter);
        outcome.map_err(Error::from)
    });
    lambda_runtime::run(invoked).await
}

/// Reports the outcome of a run: its line in the log and its metrics.
fn report(app: &App, done: bool, duration: Duration, meter: &Meter) {
    let usage = meter.usage();
    let Some(metrics) = &app.config.metrics else {
        let Usage { read_units, write_units, requests, .. } = usage;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(done, duration_ms, read_units, write_units, table_requests = requests, "ran");
        return;
    };
    Line::of_run(done, duration, usage).after_start(app.take_init()).print(metrics, app.clock.now());
}

/// Serves routes. `table` knows their paths and methods, and those of other functions.
pub async fn serve_routes(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> ExitCode {
    exit(run(routes, table, settings, no_mail).await)
}

async fn run(routes: Router<App>, table: RouteTable, settings: &[Setting], mail: MailReader) -> Result<(), Error> {
    let app = start(settings, mail).await?;
    let service = Service::new(routes, table, &app);
    let invoked = service_fn(move |event: LambdaEvent<Event>| {
        let service = service.clone();
        async move {
            let format = event.payload.format();
            Answer::read(service.answer(event).await?, format).await
        }
    });
    let answering = Runtime::new(invoked);
    answering.layer(layer_fn(|answering| Finishing { answering, app: app.clone() })).run().await
}

/// Like [`serve`], with answers that are sent while they are made.
pub async fn serve_streams(router: Router<App>, paths: fn() -> Vec<Served>, settings: &[Setting]) -> ExitCode {
    exit(run_streams(router, RouteTable::of_routes(paths), settings).await)
}

async fn run_streams(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> Result<(), Error> {
    let app = start(settings, no_mail).await?;
    let service = Service::new(routes, table, &app);
    let invoked = service_fn(move |event: LambdaEvent<Event>| {
        let service = service.clone();
        async move { service.answer(event).await.map(answer::streamed) }
    });
    lambda_runtime::run(invoked).await
}

fn exit(outcome: Result<(), Error>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "the function cannot run");
            ExitCode::FAILURE
        }
    }
}

/// The routes and their layers, for Lambda's events.
#[derive(Clone)]
struct Service {
    routes: Router,
    table: RouteTable,
}

impl Service {
    fn new(routes: Router<App>, table: RouteTable, app: &App) -> Self {
        Self { routes: greenroom_http::service(routes, table.clone(), app), table }
    }

    async fn answer(self, event: LambdaEvent<Event>) -> Result<Response, Error> {
        let request = event.payload.into_request(&self.table).ok_or("the event stands for no request")?;
        Ok(self.routes.oneshot(prepare(request, event.context)).await?)
    }
}

/// Gives a request the extensions that the layers and handlers need.
fn prepare(mut request: Request, context: Context) -> Request {
    let deadline = Deadline(Timestamp::from_millis(context.deadline.try_into().unwrap_or(i64::MAX)));
    let extensions = request.extensions_mut();
    extensions.insert(RequestId(context.request_id));
    extensions.insert(deadline);
    request
}

/// Reads no settings of mails, for functions that send none.
fn no_mail(_: &mut Reader<'_>) -> Option<Mail> {
    None
}

/// Starts a function in the INIT phase, which has a whole processor: reads the settings and the secrets, and connects
/// to the table.
async fn start(settings: &[Setting], mail: MailReader) -> Result<App, Error> {
    let begun = Instant::now();
    let settings = [settings, Setting::EVERYWHERE].concat();
    let mut environment = Environment::of_process();
    log::init(environment.get(Setting::Log.name()).unwrap_or("info"));
    if settings.iter().any(|setting| setting.is_secret()) {
        secrets::fill(&mut environment, &settings).await?;
    }
    let config = Config::read_with_mail(&environment, &settings, Strictness::Deployed, mail)?;
    let store = App::store(&config, &environment);
    if settings.contains(&Setting::TableName)
        && let Err(error) = store.prime().await
    {
        // Requests are answered with 503 until the table can be reached.
        tracing::warn!(%error, "the table cannot be read yet");
    }
    let app = App::new(config, store, Clock::system());
    if settings.contains(&Setting::OpentokWebhookSecret) {
        app.warn_of_refused_webhooks();
    }
    if settings.contains(&Setting::StreamsHold) {
        tracing::info!("live sessions: {}", greenroom_media::termination::capability(&app.config));
    }
    app.set_init(begun.elapsed());
    Ok(app)
}
