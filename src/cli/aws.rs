//! Access to AWS for commands: the environment's credentials, and the SDK's variables for endpoints.

use std::time::Duration;

use aws_sdk_dynamodb::config::Region;
use aws_smithy_types::timeout::TimeoutConfig;
use greenroom_aws::{Service, ServiceClient, region};
use greenroom_core::config::{AwsEnvironment, Environment};
use greenroom_store::Store;

/// The timeout of an operation.
const TIMEOUT: Duration = Duration::from_secs(20);

const CLOUDFORMATION: Service =
    Service { name: "CloudFormation", signing_name: "cloudformation", host: "cloudformation" };
const LAMBDA: Service = Service { name: "Lambda", signing_name: "lambda", host: "lambda" };

/// The environment that names AWS's endpoints and credentials.
#[derive(Debug)]
pub(super) struct Aws(Environment);

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

    fn client(&self, service: Service, variable: &str) -> ServiceClient {
        let timeouts = TimeoutConfig::builder().operation_timeout(TIMEOUT).build();
        ServiceClient::new(service, &self.read(variable)).timeouts(timeouts)
    }

    pub(super) fn cloudformation(&self) -> ServiceClient {
        self.client(CLOUDFORMATION, "CLOUDFORMATION")
    }

    pub(super) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        greenroom_store::client(&self.read("DYNAMODB"))
    }

    pub(super) fn lambda(&self) -> ServiceClient {
        self.client(LAMBDA, "LAMBDA")
    }

    pub(super) fn secrets_manager(&self) -> ServiceClient {
        self.client(Service::SECRETS_MANAGER, "SECRETS_MANAGER")
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
