//! Programs of the operating system stand in for functions that fail.

use std::path::Path;

use super::Function;
use crate::StartError;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    pairs.iter().map(owned).collect()
}

#[tokio::test]
async fn a_process_gets_only_lambdas_variables_and_its_own() {
    let variables = env(&[("TABLE_NAME", "t"), ("AWS_REGION", "eu-west-1")]);
    let error = Function::start(Path::new("/usr/bin/env"), variables).await;
    let Err(StartError::Exited(exit)) = error else {
        panic!("a program that ends is not a function");
    };
    assert!(exit.status.success());
    let names: Vec<_> = exit.output.lines().filter_map(|line| line.split_once('=')).collect();
    for expected in [
        ("TABLE_NAME", "t"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_NAME", "env"),
        ("_HANDLER", "bootstrap"),
    ] {
        assert!(names.contains(&expected), "{expected:?} in {names:?}");
    }
    let foreign = ["HOME", "CARGO_MANIFEST_DIR", "SSL_CERT_FILE"];
    assert!(!names.iter().any(|(name, _)| foreign.contains(name)));
}

#[tokio::test]
async fn a_process_that_ends_is_reported_with_its_status() {
    let error = Function::start(Path::new("/bin/false"), []).await;
    let Err(StartError::Exited(exit)) = error else {
        panic!("a program that ends is not a function");
    };
    assert_eq!(exit.status.code(), Some(1));
}

#[tokio::test]
async fn a_binary_that_is_not_there_cannot_be_started() {
    let error = Function::start(Path::new("/nowhere/function"), []).await;
    assert!(matches!(error, Err(StartError::Setup(_))));
}
