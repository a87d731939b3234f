//! `template.yaml` gives each function the settings it reads and no more, and what calls it; that it has its routes is looked
//! at in `routes.rs`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use serde_yaml_ng::Value;
use shared::config::Setting;

/// What no function has in its environment: on Lambda there is no directory that mails could be left in.
const LOCAL: &[Setting] = &[Setting::MailDir];
/// Where the template differs from the code: a default that would need one of [`LOCAL`] is none on Lambda.
const DEPLOYED: &[(Setting, &str)] = &[(Setting::MailTransport, "ses")];

/// What no request reaches.
const SCHEDULED: &str = "housekeeping";

fn template() -> Value {
    serde_yaml_ng::from_str(include_str!("../template.yaml")).unwrap()
}

/// The functions' resources by the names of their binaries.
fn functions(template: &Value) -> BTreeMap<String, &Value> {
    let resources = template["Resources"].as_mapping().unwrap().values();
    let functions = resources.filter(|resource| resource["Type"] == "AWS::Serverless::Function");
    functions.map(|function| (text(&function["Metadata"]["BuildProperties"]["Binary"]), function)).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// What a function of the API is called for.
fn events(function: &Value) -> impl Iterator<Item = &Value> {
    function["Properties"]["Events"].as_mapping().into_iter().flat_map(|events| events.values())
}

/// Whether a function is not behind the API but has an address of its own, and with it every path.
fn has_url(function: &Value) -> bool {
    let url = function["Properties"].get("FunctionUrlConfig");
    assert!(url.is_none_or(|url| url["InvokeMode"] == "RESPONSE_STREAM" && events(function).next().is_none()));
    url.is_some()
}

#[test]
fn what_no_route_takes_goes_to_the_fallback() {
    let template = template();
    let defaults = functions(&template).into_iter().filter(|(_, function)| {
        events(function).any(|event| event["Type"] == "HttpApi" && event["Properties"].get("Path").is_none())
    });
    assert_eq!(defaults.map(|(name, _)| name).collect::<Vec<_>>(), ["fallback"]);
}

#[test]
fn what_no_request_reaches_runs_by_itself() {
    let template = template();
    let of_type = |kind: &str| -> BTreeSet<String> {
        let of_type = functions(&template)
            .into_iter()
            .filter(|(_, function)| events(function).any(|event| event["Type"] == kind));
        of_type.map(|(name, _)| name).collect()
    };
    let all: BTreeSet<_> = functions(&template).into_keys().collect();
    assert_eq!(of_type("Schedule"), [SCHEDULED.to_owned()].into());
    let by_url = functions(&template).into_iter().filter(|(_, function)| has_url(function)).map(|(name, _)| name);
    let all: BTreeSet<_> = all.difference(&by_url.collect()).cloned().collect();
    assert_eq!(of_type("HttpApi"), &all - &of_type("Schedule"));
}

#[test]
fn each_function_finds_in_its_environment_what_it_reads_and_no_more() {
    let template = template();
    let names = |environment: &Value| -> BTreeSet<String> {
        let variables = environment["Environment"]["Variables"].as_mapping();
        variables.into_iter().flat_map(|variables| variables.keys().map(text)).collect()
    };
    let globals = names(&template["Globals"]["Function"]);
    for (name, function) in functions(&template) {
        let mut found = names(&function["Properties"]);
        found.extend(globals.clone());
        if name == SCHEDULED {
            // In everybody's environment, and of no use where nobody calls from anywhere.
            found.remove(Setting::CorsOrigins.name());
        }
        let known = greenroom::functions().into_iter().find(|known| known.name == name).unwrap();
        // Secrets come from the secret that SECRETS_ARN names.
        let read = known.settings.iter().filter(|setting| !setting.is_secret() && !LOCAL.contains(setting));
        let mut read: BTreeSet<_> = read.map(|setting| setting.name().to_owned()).collect();
        read.extend(["SECRETS_ARN", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH"].map(str::to_owned));
        read.extend(["STACK_NAME", "METRICS", "TRACING"].map(str::to_owned));
        assert_eq!(found, read, "{name}");
    }
}

#[test]
fn the_template_and_the_code_have_the_same_defaults() {
    let template = template();
    let variables = functions(&template).into_values().chain([&template["Globals"]["Function"]]);
    let mut compared = 0;
    for environment in variables.map(|function| {
        let properties = function.get("Properties").unwrap_or(function);
        &properties["Environment"]["Variables"]
    }) {
        for (name, value) in environment.as_mapping().into_iter().flatten() {
            let Some(setting) = Setting::ALL.iter().find(|setting| setting.name() == text(name)) else { continue };
            let Value::Tagged(reference) = value else { continue };
            let default = &template["Parameters"][reference.value.as_str().unwrap_or_default()]["Default"];
            let default = match default {
                Value::Number(number) => number.to_string(),
                other => other.as_str().unwrap_or_default().to_owned(),
            };
            let deployed = DEPLOYED.iter().find(|(deployed, _)| deployed == setting).map(|(_, default)| *default);
            let expected = deployed.or(setting.default()).unwrap_or_default();
            assert_eq!(expected, default, "{}", setting.name());
            compared += usize::from(setting.default().is_some());
        }
    }
    assert!(compared >= 11, "the template sets every setting that has a default");
}

#[test]
fn the_guide_to_operating_has_every_threshold_with_its_default() {
    let guide = include_str!("../docs/operations.md");
    let rows = guide.lines().filter(|line| line.starts_with("| `Alarm")).map(|line| line.split('|').map(str::trim));
    let digits = |cell: &str| -> String {
        let number = cell.split(' ').next().unwrap_or_default();
        number.chars().filter(char::is_ascii_digit).collect()
    };
    let in_guide: BTreeMap<_, _> =
        rows.map(|mut row| (row.nth(1).unwrap().trim_matches('`').to_owned(), digits(row.next().unwrap()))).collect();
    let template = template();
    let parameters = template["Parameters"].as_mapping().unwrap();
    let thresholds = parameters
        .iter()
        .filter(|(name, parameter)| name.as_str().unwrap().starts_with("Alarm") && parameter["Type"] == "Number");
    let in_template =
        thresholds.map(|(name, parameter)| (text(name), parameter["Default"].as_i64().unwrap().to_string()));
    assert_eq!(in_guide, in_template.collect());
}
