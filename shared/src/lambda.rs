//! Runs a function's routes on AWS Lambda.

use axum::Router;
use lambda_http::{Error, RequestExt};
use tower::ServiceExt;
use utoipa_axum::router::OpenApiRouter;

use crate::{
    App,
    clock::Clock,
    config::{Config, Environment, Setting, Strictness},
    http::{self, RouteTable},
    id::RequestId,
    log, secrets,
};

/// Serves the routes of a function that reads these settings.
///
/// # Errors
/// Before the first request: a configuration that is not complete, with one message that names all it lacks.
pub async fn serve(routes: OpenApiRouter<App>, settings: &[Setting]) -> Result<(), Error> {
    let (routes, document) = routes.split_for_parts();
    let table = RouteTable::of(&document);
    serve_routes(routes, table, settings).await
}

/// Serves routes whose paths and methods `table` knows, with those of other functions among them.
pub async fn serve_routes(routes: Router<App>, table: RouteTable, settings: &[Setting]) -> Result<(), Error> {
    let app = start(settings).await.inspect_err(|error| tracing::error!(%error, "the function cannot start"))?;
    let service = http::service(routes, table, &app).map_request(|mut request: lambda_http::Request| {
        if let Some(id) = request.lambda_context_ref().map(|context| context.request_id.clone()) {
            request.extensions_mut().insert(RequestId(id));
        }
        request
    });
    lambda_http::run(service).await
}

/// INIT: the settings, the secrets and a connection to the table, while the processor is whole.
async fn start(settings: &[Setting]) -> Result<App, Error> {
    let mut environment = Environment::of_process();
    log::init(environment.get(Setting::Log.name()).unwrap_or("info"));
    if settings.iter().any(|setting| setting.is_secret()) {
        secrets::fill(&mut environment).await?;
    }
    let config = Config::read(&environment, settings, Strictness::Deployed)?;
    let store = App::store(&config, &environment);
    if settings.contains(&Setting::TableName)
        && let Err(error) = store.prime().await
    {
        // Requests will be answered with 503 until the table can be reached.
        tracing::warn!(error = &error as &dyn std::error::Error, "the table cannot be read yet");
    }
    Ok(App::new(config, store, Clock::system()))
}
