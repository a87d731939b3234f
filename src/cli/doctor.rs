//! `greenroom doctor`: checks a data directory or a deployed stack without changing anything.

mod clock;
mod data_dir;
mod functions;
mod livekit;
mod report;
mod request;
mod routes;
mod secret;
mod table;
mod web;

use greenroom_core::{clock::Clock, config::Strictness};
use greenroom_media::termination::capability_of;

use self::report::{Check, Report};
use super::{
    CliError,
    aws::Aws,
    media,
    stack::{SECRETS_PREFIX, Stack, TABLE_NAME},
    target::StoreArgs,
};

/// The output of a stack with the URL of its API.
const API_URL: &str = "ApiUrl";

/// Check the data directory, or a deployed stack, and change nothing; exits with 1 where a check failed
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    #[command(flatten)]
    place: StoreArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let report = if let Some(name) = &self.place.stack {
            let aws = Aws::of_process(self.place.region.as_deref());
            let stack = Stack::find(&aws, name).await?;
            let checks = examine(&aws, &stack, &Clock::system()).await;
            Report { kind: "stack", name: stack.name, checks }
        } else {
            let path = &self.place.data_dir.path;
            let mut checks = data_dir::check(path).await?;
            checks.extend(self.livekit().await);
            Report { kind: "dataDir", name: path.display().to_string(), checks }
        };
        print!("{}", if self.json { report.json() } else { report.text() });
        match report.failed() {
            0 => Ok(()),
            failed => Err(CliError::Unhealthy(failed, report.checks.len())),
        }
    }

    /// The checks of the LiveKit server that the environment names.
    async fn livekit(&self) -> Vec<Check> {
        let server = media::of_process(&self.place.data_dir.path)
            .and_then(|environment| media::livekit(&environment, Strictness::Local));
        if matches!(server, Ok(None)) {
            return Vec::new();
        }
        // Why the store cannot be opened was said above.
        let open = self.place.open().await.ok();
        livekit::check(server, open.as_ref().map(|open| &open.store), &Clock::system()).await
    }
}

async fn examine(aws: &Aws, stack: &Stack, clock: &Clock) -> Vec<Check> {
    let (status, name) = (&stack.status, "stack");
    let mut checks = vec![if stack.settled {
        Check::ok(name, status)
    } else {
        Check::fail(name, format!("{status}: see its events in CloudFormation"))
    }];
    let table = stack.output(TABLE_NAME);
    match table {
        Some(table) => checks.extend(table::check(aws, table).await),
        None => checks.push(Check::fail("table", format!("the stack has no output {TABLE_NAME}"))),
    }
    let mut changed_at = None;
    match stack.parameter(SECRETS_PREFIX) {
        Some(prefix) => {
            let (found, at) = secret::check(aws, stack, prefix, clock.now()).await;
            (changed_at, checks) = (at, [checks, found].concat());
        }
        None => checks.push(Check::fail("secrets", format!("the stack has no parameter {SECRETS_PREFIX}"))),
    }
    checks.push(terminating(stack));
    let server = media::livekit_of_stack(aws, stack).await;
    checks.extend(livekit::check(server, table.map(|table| aws.store(table)).as_ref(), clock).await);
    checks.extend(functions::check(aws, stack, table, changed_at).await);
    match stack.output(API_URL) {
        Some(url) => {
            checks.extend(web::check(stack, url, clock).await);
            checks.extend(routes::check(stack, url).await);
        }
        None => checks.push(Check::fail("routes", format!("the stack has no output {API_URL}"))),
    }
    checks
}

/// The check of what terminating a media server's viewer does with these parameters.
fn terminating(stack: &Stack) -> Check {
    let (api, lifetime) = (stack.parameter("StreamsApiUrl").is_some(), stack.parameter("StreamsLifetime").is_some());
    Check::ok("terminating viewers", capability_of(api, lifetime))
}
