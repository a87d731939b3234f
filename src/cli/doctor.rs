//! `greenroom doctor`: whether a deployed stack is in order, found out without changing anything.

mod functions;
mod report;
mod routes;
mod secret;
mod table;
mod web;

use shared::clock::Clock;

use self::report::{Check, Report};
use super::{
    CliError,
    aws::Aws,
    key::{SECRETS_ARN, TABLE_NAME},
    stack::Stack,
};

/// Output of a stack that says where its API is.
const API_URL: &str = "ApiUrl";

/// Check a deployed stack, with requests that change nothing
#[derive(Debug, clap::Args)]
pub(crate) struct Doctor {
    /// The stack's name
    #[arg(long, value_name = "NAME")]
    stack: String,
    /// Where it is deployed, instead of where the environment says
    #[arg(long)]
    region: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    pub(crate) async fn run(self) -> Result<(), CliError> {
        let aws = Aws::of_process(self.region.as_deref());
        let stack = Stack::find(&aws, &self.stack).await?;
        let clock = Clock::system();
        let report = Report { stack: stack.name.clone(), checks: examine(&aws, &stack, &clock).await };
        print!("{}", if self.json { report.json() } else { report.text() });
        match report.failed() {
            0 => Ok(()),
            failed => Err(CliError::Unhealthy(failed, report.checks.len())),
        }
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
    match stack.parameter(SECRETS_ARN) {
        Some(secret) => {
            let (found, at) = secret::check(aws, stack, secret, clock.now()).await;
            (changed_at, checks) = (at, [checks, found].concat());
        }
        None => checks.push(Check::fail("secret", format!("the stack has no parameter {SECRETS_ARN}"))),
    }
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
