//! Runs a function on AWS Lambda: its routes, or the job that it is invoked for.

use std::{fmt::Display, process::ExitCode, time::Duration};

use axum::Router;
use lambda_http::{Error, LambdaEvent, RequestExt, lambda_runtime, request::RequestContext, service_fn};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::de::IgnoredAny;
use tokio::time::Instant;
use tower::ServiceExt;

use crate::{
    App,
    clock::{Clock, InTime, Timestamp},
    config::{Config, Environment, Setting, Strictness},
    http::{self, Deadline, Prefix, RouteTable, Served, TraceHeader},
    id::RequestId,
    log,
    meter::{Meter, Usage},
    metrics::{HOUSEKEEPING, Line},
    model::guesses::Source,
    secrets,
};

/// How long before a function's time is over a job begins nothing any more: longer than any one step of it takes.
const MARGIN: Duration = Duration::from_secs(10);

/// Serves the routes of a function that reads these settings, for as long as the process lives.
///
/// It fails before the first request where the configuration is not complete, with one message that names all it lacks.
///
/// `paths` are those of the same routes, which are only looked at where a request falls back.
pub async fn serve(router: Router<App>, paths: fn() -> Vec<Served>, settings: &[Setting]) -> ExitCode {
    serve_routes(router, RouteTable::of_routes(paths), settings).await
}

/// Runs a job of a function that reads these settings, each time that it is invoked, with whatever event.
///
/// It starts, or fails to, as one with routes does. A job that fails is logged, and counts among the function's errors.
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
    let app = start(settings).await?;
    let (app, job) = (&app, &job);
    let invoked = service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        let begun = Instant::now();
        let trace = app.tracer.as_ref().zip(event.context.xray_trace_id);
        let meter = Meter::new(trace.and_then(|(tracer, header)| tracer.trace(&header)));
        let end = Timestamp::from_millis(i64::try_from(event.context.deadline).unwrap_or(i64::MAX));
        let in_time = || app.clock.now() + MARGIN < end;
        let outcome = meter.clone().scope(job(app, &in_time)).await.map_err(|error| error.to_string());
        report(app, outcome.is_ok(), begun.elapsed(), &meter);
        outcome.map_err(Error::from)
    });
    lambda_runtime::run(invoked).await
}

/// Reports what became of a job's run: its line in the log, its metrics, its trace.
fn report(app: &App, done: bool, duration: Duration, meter: &Meter) {
    if let Some(trace) = meter.trace() {
        trace.finish(HOUSEKEEPING, None, !done);
    }
    let usage = meter.usage();
    let Some(metrics) = &app.config.metrics else {
        let Usage { read_units, write_units, requests, .. } = usage;
        let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(done, duration_ms, read_units, write_units, table_requests = requests, "ran");
        return;
    };
    Line::of_run(done, duration, usage).after_start(app.take_init()).print(metrics, app.clock.now());
}

/// Serves routes whose paths and methods `table` knows, with those of other functions among them.
pub async fn serve_routes(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> ExitCode {
    exit(run(routes, table, settings).await)
}

async fn run(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> Result<(), Error> {
    let app = start(settings).await?;
    lambda_http::run(http::service(routes, table, &app).map_request(prepare)).await
}

/// As [`serve`], with answers that are sent on while they are made.
pub async fn serve_streams(router: Router<App>, paths: fn() -> Vec<Served>, settings: &[Setting]) -> ExitCode {
    exit(run_streams(router, RouteTable::of_routes(paths), settings).await)
}

async fn run_streams(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> Result<(), Error> {
    let app = start(settings).await?;
    lambda_http::run_with_streaming_response(http::service(routes, table, &app).map_request(prepare)).await
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

/// Gives a request what the layers and handlers look for.
fn prepare(mut request: lambda_http::Request) -> lambda_http::Request {
    if let Some(context) = request.lambda_context_ref() {
        let id = RequestId(context.request_id.clone());
        let deadline = Deadline(Timestamp::from_millis(context.deadline.try_into().unwrap_or(i64::MAX)));
        let trace = context.xray_trace_id.clone().map(TraceHeader);
        request.extensions_mut().insert(id);
        request.extensions_mut().insert(deadline);
        if let Some(trace) = trace {
            request.extensions_mut().insert(trace);
        }
    }
    let (prefix, source) = (prefix(&request), source(&request));
    request.extensions_mut().insert(prefix);
    request.extensions_mut().insert(source);
    take_raw_path(&mut request);
    request
}

/// What a path cannot carry bare (RFC 3986, 3.3); escapes that are there already stay.
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Takes the path as API Gateway has it. The conversion of the event reads it as a browser does, which folds segments
/// like `..` away: a DELETE of a session's part would become one of the session.
fn take_raw_path(request: &mut lambda_http::Request) {
    let path = utf8_percent_encode(request.raw_http_path(), ESCAPED).to_string();
    let path_and_query = match request.uri().query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = path_and_query.parse().ok();
    // Fails for a path that does not begin with a slash, which API Gateway does not send; it is then nobody's.
    *request.uri_mut() = parts.try_into().unwrap_or_default();
}

/// What API Gateway took off the path: a REST API's stage, or the base path of a custom domain.
fn prefix(request: &lambda_http::Request) -> Prefix {
    let Some(RequestContext::ApiGatewayV1(context)) = request.request_context_ref() else { return Prefix::default() };
    let outside = context.path.as_deref().unwrap_or_default();
    Prefix(outside.strip_suffix(request.raw_http_path()).unwrap_or_default().to_owned())
}

/// Where the request came from, as API Gateway or the function's URL saw it.
fn source(request: &lambda_http::Request) -> Source {
    let address = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV1(context)) => context.identity.source_ip.as_deref(),
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref(),
        _ => None,
    };
    Source(address.and_then(|address| address.parse().ok()))
}

/// INIT: the settings, the secrets and a connection to the table, while the processor is whole.
async fn start(settings: &[Setting]) -> Result<App, Error> {
    let begun = Instant::now();
    let settings = [settings, Setting::EVERYWHERE].concat();
    let mut environment = Environment::of_process();
    log::init(environment.get(Setting::Log.name()).unwrap_or("info"));
    if settings.iter().any(|setting| setting.is_secret()) {
        secrets::fill(&mut environment).await?;
    }
    let config = Config::read(&environment, &settings, Strictness::Deployed)?;
    let store = App::store(&config, &environment);
    if settings.contains(&Setting::TableName)
        && let Err(error) = store.prime().await
    {
        // Requests will be answered with 503 until the table can be reached.
        tracing::warn!(%error, "the table cannot be read yet");
    }
    let app = App::new(config, store, Clock::system());
    if settings.contains(&Setting::OpentokWebhookSecret) {
        app.warn_of_unsigned_webhooks();
    }
    app.set_init(begun.elapsed());
    Ok(app)
}
