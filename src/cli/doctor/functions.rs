//! Checks of the functions: whether each is there, can run, and has read the present secret.

use std::collections::BTreeSet;

use greenroom_core::clock::Timestamp;

use super::Check;
use crate::cli::{
    aws::Aws,
    stack::{Configuration, DeployedFunction, Stack},
    text::some,
};

pub(super) async fn check(aws: &Aws, stack: &Stack, table: Option<&str>, changed_at: Option<Timestamp>) -> Vec<Check> {
    let functions = match stack.functions(aws).await {
        Ok(functions) => functions,
        Err(error) => return vec![Check::fail("functions", error.to_string())],
    };
    let lambda = aws.lambda();
    let (mut faults, mut kinds, mut older) = (Vec::new(), BTreeSet::new(), Vec::new());
    for function in &functions {
        let logical_id = &function.logical_id;
        match function.configuration(&lambda).await {
            Ok(found) => {
                faults.extend(fault(&found, table).map(|fault| format!("{logical_id} {fault}")));
                kinds.insert(kind(&found));
                let is_older = |at: &Timestamp| changed_at.is_some_and(|changed| *at < changed);
                older.extend(found.modified_at().filter(is_older).map(|_| &**logical_id));
            }
            Err(error) => faults.push(format!("{logical_id} cannot be read: {}", greenroom_aws::reason(&error))),
        }
    }
    faults.extend(missing(&functions).map(|name| format!("{name} is missing")));
    let all = format!("{} functions, {}", functions.len(), kinds.into_iter().collect::<Vec<_>>().join("; "));
    let mut checks = vec![if faults.is_empty() {
        Check::ok("functions", all)
    } else {
        Check::fail("functions", format!("{}: deploy again", some(&faults)))
    }];
    checks.push(match (changed_at, &*older) {
        (Some(_), []) => Check::ok("roll-out", "every function was deployed after the secret was changed"),
        (Some(_), older) => {
            Check::warn("roll-out", format!("older than the secret: {}; roll it out (docs/deploy.md)", some(older)))
        }
        (None, _) => Check::warn("roll-out", "when the secret was changed is not known"),
    });
    checks
}

/// The reason why a function cannot run properly; `None` if it can.
fn fault(function: &Configuration, table: Option<&str>) -> Option<String> {
    let state = function.state.as_deref().unwrap_or("Active");
    // Lambda sets a function inactive that is not called for weeks, and activates it again when it is.
    if !matches!(state, "Active" | "Inactive") {
        return Some(format!("is {state}"));
    }
    if function.last_update_status.as_deref() == Some("Failed") {
        return Some("failed to update".to_owned());
    }
    let runtime = function.runtime.as_deref().unwrap_or_default();
    if runtime != "provided.al2023" {
        return Some(format!("runs on {runtime}, not provided.al2023"));
    }
    match function.table() {
        Some(name) if Some(name) != table => Some("uses another table".to_owned()),
        _ => None,
    }
}

/// The runtime and architecture of a function.
fn kind(function: &Configuration) -> String {
    format!("{} {} MB", function.architectures.join(" "), function.memory_size)
}

/// The functions of this version that a stack does not have.
fn missing(functions: &[DeployedFunction]) -> impl Iterator<Item = &'static str> {
    let known: BTreeSet<_> = functions.iter().map(|function| function.logical_id.to_ascii_lowercase()).collect();
    let all = crate::functions().into_iter().map(|function| function.name);
    all.filter(move |name| !known.contains(&name.replace('-', "")))
}
