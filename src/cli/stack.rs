//! A deployed stack, its outputs, parameters and functions.

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::StackStatus;
use greenroom_core::clock::Timestamp;

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
        let described = aws.cloudformation().describe_stacks().stack_name(name).send().await;
        let described =
            described.map_err(|error| CliError::Aws(format!("the stack {name}"), greenroom_aws::reason(&error)))?;
        let stack = described.stacks.unwrap_or_default().into_iter().next();
        let stack = stack.ok_or_else(|| CliError::Aws(format!("the stack {name}"), "there is none".to_owned()))?;
        let outputs = stack.outputs.unwrap_or_default().into_iter();
        let parameters = stack.parameters.unwrap_or_default().into_iter();
        let status = stack.stack_status.unwrap_or(StackStatus::from(""));
        Ok(Self {
            name: name.to_owned(),
            settled: matches!(
                status,
                StackStatus::CreateComplete
                    | StackStatus::UpdateComplete
                    | StackStatus::UpdateRollbackComplete
                    | StackStatus::ImportComplete
            ),
            status: status.as_str().to_owned(),
            outputs: outputs.filter_map(|output| Some((output.output_key?, output.output_value?))).collect(),
            parameters: parameters.filter_map(|set| Some((set.parameter_key?, set.parameter_value?))).collect(),
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
        let pages = aws.cloudformation().list_stack_resources().stack_name(&self.name).into_paginator().items().send();
        let resources = pages.collect::<Result<Vec<_>, _>>().await;
        let failed = |error| CliError::Aws(format!("the resources of {}", self.name), greenroom_aws::reason(&error));
        let resources = resources.map_err(failed)?.into_iter();
        let functions = resources.filter(|resource| resource.resource_type() == Some("AWS::Lambda::Function"));
        let function = |resource: aws_sdk_cloudformation::types::StackResourceSummary| {
            let (logical_id, name) = (resource.logical_resource_id?, resource.physical_resource_id?);
            Some(DeployedFunction { logical_id, name })
        };
        Ok(functions.filter_map(function).collect())
    }

    /// The functions that were last deployed before this instant. Their instances have read an older secret.
    pub(super) async fn functions_older_than(&self, aws: &Aws, at: Timestamp) -> Result<Vec<String>, CliError> {
        let lambda = aws.lambda();
        let mut older = Vec::new();
        for function in self.functions(aws).await? {
            let read = lambda.get_function_configuration().function_name(&function.name).send().await;
            let failed =
                |error| CliError::Aws(format!("the function {}", function.name), greenroom_aws::reason(&error));
            let modified = read.map_err(failed)?.last_modified.and_then(|text| Timestamp::parse(&text));
            if modified.is_none_or(|modified| modified < at) {
                older.push(function.logical_id);
            }
        }
        Ok(older)
    }
}
