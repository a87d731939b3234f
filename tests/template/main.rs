//! `template.yaml` has what follows from the code, the triggers that call each function, and the table that is made
//! locally. `routes.rs` checks its routes.
//!
//! `UPDATE_TEMPLATE=1 cargo test --workspace --test template` writes the generated lines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod generator;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use greenroom::table::{KEY, TTL};
use greenroom_core::config::{SecretFamily, Setting};
use serde_json::json;
use serde_yaml_ng::Value;

/// Defaults in which the template differs from the code, whose default needs a directory for mails.
const DEPLOYED: &[(Setting, &str)] = &[(Setting::MailTransport, "ses")];

/// The function that no request reaches.
const SCHEDULED: &str = "housekeeping";

fn template() -> Value {
    serde_yaml_ng::from_str(include_str!("../../template.yaml")).unwrap()
}

#[test]
fn the_table_that_is_made_locally_is_that_of_the_template() {
    let template = template();
    let declared = |name: &str| serde_json::to_value(&template["Resources"]["Table"]["Properties"][name]).unwrap();
    let attributes = KEY.map(|(name, _)| json!({ "AttributeName": name, "AttributeType": "S" }));
    let key = KEY.map(|(name, kind)| json!({ "AttributeName": name, "KeyType": kind.as_str() }));
    assert_eq!(declared("BillingMode"), "PAY_PER_REQUEST");
    assert_eq!(declared("AttributeDefinitions"), json!(attributes));
    assert_eq!(declared("KeySchema"), json!(key));
    assert_eq!(declared("TimeToLiveSpecification"), json!({ "AttributeName": TTL, "Enabled": true }));
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

/// The triggers of a function of the API.
fn events(function: &Value) -> impl Iterator<Item = &Value> {
    function["Properties"]["Events"].as_mapping().into_iter().flat_map(|events| events.values())
}

/// Whether a function has an address of its own, with every path, instead of a place behind the API.
fn has_url(function: &Value) -> bool {
    let url = function["Properties"].get("FunctionUrlConfig");
    assert!(url.is_none_or(|url| url["InvokeMode"] == "RESPONSE_STREAM" && events(function).next().is_none()));
    url.is_some()
}

#[test]
fn the_template_has_what_follows_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/template.yaml");
    let found = fs::read_to_string(path).unwrap();
    let due = generator::generate(&found);
    if std::env::var_os("UPDATE_TEMPLATE").is_some() {
        return fs::write(path, due).unwrap();
    }
    let stale = found.lines().zip(due.lines()).zip(1..).find(|((found, due), _)| found != due);
    let ((found, due), line) = stale.unwrap_or_default();
    assert_eq!(
        found, due,
        "template.yaml is out of date in line {line}: UPDATE_TEMPLATE=1 cargo test --workspace --test template"
    );
}

#[test]
fn resources_without_generated_lines_get_all_of_them() {
    let (begin, end) = generator::MARKS;
    let mut by_hand = true;
    let bare = include_str!("../../template.yaml").split_inclusive('\n').filter(|line| {
        by_hand |= line.trim() == end;
        let kept = by_hand;
        by_hand &= line.trim() != begin;
        kept
    });
    let generated = generator::generate(&bare.collect::<String>());
    assert_eq!(generator::generate(&generated), generated);
    let template: Value = serde_yaml_ng::from_str(&generated).unwrap();
    assert!(generated.contains("ListLiveConnectionsSlash: "), "events are named after the operations");
    for (name, function) in functions(&template) {
        let has_routes = events(function).next().is_some() || has_url(function);
        assert!(has_routes && function["Properties"].get("Role").is_some(), "{name}");
    }
}

#[test]
fn requests_that_no_route_matches_go_to_the_fallback() {
    let template = template();
    let defaults = functions(&template).into_iter().filter(|(_, function)| {
        events(function).any(|event| event["Type"] == "HttpApi" && event["Properties"].get("Path").is_none())
    });
    assert_eq!(defaults.map(|(name, _)| name).collect::<Vec<_>>(), ["fallback"]);
}

#[test]
fn the_function_that_no_request_reaches_runs_on_a_schedule() {
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
fn every_function_reads_the_settings_that_the_template_gives_to_every_function() {
    let template = template();
    let globals = template["Globals"]["Function"]["Environment"]["Variables"].as_mapping().unwrap();
    let globals: BTreeSet<_> = globals.keys().map(text).collect();
    for function in greenroom::functions() {
        let read = function.settings.iter().chain(Setting::EVERYWHERE).map(|setting| setting.name().to_owned());
        let mut read: BTreeSet<_> = read.collect();
        // Secrets are read from Secrets Manager, under names that begin with SECRETS_PREFIX.
        read.insert("SECRETS_PREFIX".to_owned());
        if function.name == SCHEDULED {
            // A function without callers has no use for this setting.
            read.insert(Setting::CorsOrigins.name().to_owned());
        }
        assert!(globals.is_subset(&read), "{}: {:?}", function.name, &globals - &read);
    }
}

#[test]
fn each_function_reads_few_secrets() {
    for function in greenroom::functions() {
        // `greenroom_lambda::secrets` reads them one after the other.
        assert!(SecretFamily::of_all(function.settings).len() <= 3, "{}", function.name);
        let homeless = function.settings.iter().filter(|setting| setting.is_secret());
        let homeless: Vec<_> = homeless.filter(|setting| SecretFamily::of(**setting).is_none()).collect();
        assert!(homeless.is_empty(), "{}: {homeless:?}", function.name);
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
    let guide = include_str!("../../docs/operations.md");
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

#[test]
fn each_function_has_the_memory_that_was_chosen_for_it() {
    let template = template();
    let size = |value: &Value| match value {
        Value::Tagged(reference) => {
            template["Parameters"][reference.value.as_str().unwrap()]["Default"].as_u64().unwrap()
        }
        number => number.as_u64().unwrap(),
    };
    let usual = size(&template["Globals"]["Function"]["MemorySize"]);
    let deployed = functions(&template).into_iter().map(|(name, function)| {
        let own = function["Properties"].get("MemorySize");
        (name, own.map_or(usual, size))
    });
    let rows = include_str!("../../docs/memory.md").lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect::<Vec<_>>());
    // The first row of a function has a number at its end.
    let chosen = rows.filter_map(|cells| Some((cells[0].to_owned(), cells.last()?.parse().ok()?)));
    let chosen: BTreeMap<_, u64> = chosen.collect();
    // A function that was not measured has the usual memory.
    let deployed: BTreeMap<_, u64> =
        deployed.filter(|(name, size)| *size != usual || chosen.contains_key(name)).collect();
    assert_eq!(deployed, chosen);
}
