//! Access to AWS for commands: the environment's credentials, and the SDK's variables for endpoints.

use std::time::Duration;

use aws_sdk_dynamodb::config::Region;
use aws_smithy_types::timeout::TimeoutConfig;
use greenroom_aws::{configure, region};
use greenroom_core::config::{AwsEnvironment, Environment};
use greenroom_store::Store;

/// The timeout of an operation.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The environment that names AWS's endpoints and credentials.
#[derive(Debug)]
pub(super) struct Aws(Environment);

macro_rules! client {
    ($sdk:ident, $aws:expr) => {{
        let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
        let config = configure!($sdk, &$aws).timeout_config(timeouts);
        $sdk::Client::from_conf(config.build())
    }};
}

impl Aws {
    /// The environment of this process, with another region if one is given.
    pub(super) fn of_process(region: Option<&str>) -> Self {
        let mut environment = Environment::default();
        environment.fill(region.map(|region| ("AWS_REGION".to_owned(), region.to_owned())));
        environment.add(Environment::of_process());
        Self(environment)
    }

    fn read(&self, service: &str) -> AwsEnvironment {
        AwsEnvironment::read(&self.0, service)
    }

    pub(super) fn cloudformation(&self) -> aws_sdk_cloudformation::Client {
        client!(aws_sdk_cloudformation, self.read("CLOUDFORMATION"))
    }

    pub(super) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        greenroom_store::client(&self.read("DYNAMODB"))
    }

    pub(super) fn lambda(&self) -> aws_sdk_lambda::Client {
        client!(aws_sdk_lambda, self.read("LAMBDA"))
    }

    pub(super) fn secrets_manager(&self) -> aws_sdk_secretsmanager::Client {
        client!(aws_sdk_secretsmanager, self.read("SECRETS_MANAGER"))
    }

    /// The store on a table there.
    pub(super) fn store(&self, table: &str) -> Store {
        Store::new(self.dynamodb(), table)
    }

    /// The region.
    pub(super) fn region(&self) -> Region {
        region(&self.read("DYNAMODB"))
    }

    /// The environment.
    pub(super) fn into_environment(self) -> Environment {
        self.0
    }

    /// A variable of the environment.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }
}
