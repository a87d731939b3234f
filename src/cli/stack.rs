//! A deployed stack, its outputs, parameters and functions.

mod answers;

use std::collections::BTreeMap;

use greenroom_aws::{CallError, ServiceClient, from_json, reason};
use greenroom_core::clock::Timestamp;
use http::Request;

pub(super) use self::answers::Configuration;
use self::answers::{DescribeStacks, ListStackResources, Resource, from_xml, query};
use super::{CliError, aws::Aws};

/// The parameter of a stack with the prefix of its secrets' names.
pub(super) const SECRETS_PREFIX: &str = "SecretsPrefix";
/// The output of a stack with the name of its table.
pub(super) const TABLE_NAME: &str = "TableName";

/// A deployed stack.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) name: String,
    pub(super) status: String,
    /// Whether its last deployment is finished and left the stack whole.
    pub(super) settled: bool,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

/// A function of a stack.
#[derive(Debug)]
pub(super) struct DeployedFunction {
    /// The name in the template.
    pub(super) logical_id: String,
    /// The name on Lambda.
    pub(super) name: String,
}

impl Stack {
    /// The stack with this name.
    pub(super) async fn find(aws: &Aws, name: &str) -> Result<Self, CliError> {
        let failed = |reason| CliError::Aws(format!("the stack {name}"), reason);
        let request = query("DescribeStacks", &[("StackName", name)]);
        let described = aws.cloudformation().call("DescribeStacks", request, from_xml::<DescribeStacks>).await;
        let mut stacks = described.map_err(|error| failed(reason(&error)))?.result.stacks.member;
        let stack = stacks.pop().ok_or_else(|| failed("there is none".to_owned()))?;
        let (outputs, parameters) = (stack.outputs.member.into_iter(), stack.parameters.member.into_iter());
        Ok(Self {
            name: name.to_owned(),
            settled: matches!(
                &*stack.status,
                "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE"
            ),
            status: stack.status,
            outputs: outputs.map(|output| (output.key, output.value)).collect(),
            parameters: parameters.map(|parameter| (parameter.key, parameter.value)).collect(),
        })
    }

    /// An output; `None` if the stack has none with this name.
    pub(super) fn output(&self, name: &str) -> Option<&str> {
        self.outputs.get(name).map(String::as_str)
    }

    /// A parameter that is not empty.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Its functions.
    pub(super) async fn functions(&self, aws: &Aws) -> Result<Vec<DeployedFunction>, CliError> {
        let (client, mut functions, mut page) = (aws.cloudformation(), Vec::new(), None);
        loop {
            let parameters = [Some(("StackName", &*self.name)), page.as_deref().map(|token| ("NextToken", token))];
            let request = query("ListStackResources", &parameters.into_iter().flatten().collect::<Vec<_>>());
            let listed = client.call("ListStackResources", request, from_xml::<ListStackResources>).await;
            let failed = |error| CliError::Aws(format!("the resources of {}", self.name), reason(&error));
            let listed = listed.map_err(failed)?.result;
            functions.extend(listed.resources.member.into_iter().filter_map(function));
            page = listed.next_token;
            if page.is_none() {
                return Ok(functions);
            }
        }
    }

    /// The functions that were last deployed before this instant. Their instances have read an older secret.
    pub(super) async fn functions_older_than(&self, aws: &Aws, at: Timestamp) -> Result<Vec<String>, CliError> {
        let lambda = aws.lambda();
        let mut older = Vec::new();
        for function in self.functions(aws).await? {
            let read = function.configuration(&lambda).await;
            let failed = |error| CliError::Aws(format!("the function {}", function.name), reason(&error));
            if read.map_err(failed)?.modified_at().is_none_or(|modified| modified < at) {
                older.push(function.logical_id);
            }
        }
        Ok(older)
    }
}

impl DeployedFunction {
    /// The configuration of the function.
    pub(super) async fn configuration(&self, lambda: &ServiceClient) -> Result<Configuration, CallError> {
        let request = Request::get(format!("/2015-03-31/functions/{}/configuration", self.name)).body(String::new());
        lambda.call("GetFunctionConfiguration", request, from_json).await
    }
}

/// The function that a resource is; `None` if it is none, or is not made yet.
fn function(resource: Resource) -> Option<DeployedFunction> {
    let name = resource.physical_resource_id.filter(|_| resource.kind == "AWS::Lambda::Function")?;
    Some(DeployedFunction { logical_id: resource.logical_resource_id, name })
}
