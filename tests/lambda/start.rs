//! A function with a wrong configuration does not start, and reports everything that is missing at once.

use testbed::{Function, StartError, nobody};

use crate::{
    binaries::binary,
    stage::{Fixture, Stage},
};

async fn refused(function: &str, stage: &Stage, changes: &[(&str, Option<&str>)]) -> StartError {
    let mut environment = stage.environment();
    for (name, value) in changes {
        environment.remove(*name);
        environment.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    let started = Function::start(&binary(function), environment).await;
    started.err().unwrap_or_else(|| panic!("{function} starts with {changes:?}"))
}

#[tokio::test]
async fn one_message_names_all_missing_settings() {
    let stage = Stage::new().await;
    for greenroom::Function { name, settings, .. } in greenroom::functions() {
        let needs = settings.iter().filter(|setting| setting.is_required()).map(|setting| setting.name());
        let missing: Vec<_> = needs.map(|setting| (setting, None)).collect();
        if missing.is_empty() {
            continue;
        }
        let error = refused(name, &stage, &missing).await;
        let message = error.output().lines().next().unwrap_or_default();
        for (setting, _) in &missing {
            assert!(message.contains(setting), "{name} does not name {setting}: {error}");
        }
        // The message complains about nothing that is set.
        assert_eq!(message.matches("missing (").count(), missing.len(), "{error}");
    }
}

#[tokio::test]
async fn a_documented_or_short_secret_is_refused_and_not_shown() {
    let stage = Stage::new().await;
    for secret in ["MY_SECRET", "only 15 letters"] {
        let error = refused("issue-token", &stage, &[("OPENVIDU_SECRET", Some(secret))]).await;
        assert!(error.output().contains("OPENVIDU_SECRET"), "{error}");
        assert!(!error.output().contains(secret), "{error}");
    }
}

#[tokio::test]
async fn a_misspelt_log_level_is_refused() {
    let stage = Stage::new().await;
    for greenroom::Function { name, .. } in greenroom::functions() {
        let error = refused(name, &stage, &[("LOG", Some("debgu"))]).await;
        assert!(error.output().contains("LOG: must be a level"), "{name}: {error}");
    }
}

#[tokio::test]
async fn a_function_whose_table_cannot_be_reached_starts_and_answers_503() {
    let mut stage = Stage::new().await;
    stage.endpoint = format!("http://{}", nobody().unwrap());
    let answer = stage.send("create-session/device", &Fixture::default()).await;
    assert_eq!((answer.status(), answer.at("/error/code").as_str()), (503, "unavailable"));
    assert!(answer.header("retry-after").is_some(), "{answer:?}");
}
