//! `template.yaml` gives each function exactly the settings that it reads, and the triggers that call it, and declares
//! the table that is made locally. `routes.rs` checks its routes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use greenroom::table::{KEY, TTL};
use greenroom_core::config::{SecretFamily, Setting};
use serde_json::json;
use serde_yaml_ng::Value;

/// Settings that no function has: on Lambda there is no directory for mails.
const LOCAL: &[Setting] = &[Setting::MailDir];
/// Defaults in which the template differs from the code, because the default of the code needs one of [`LOCAL`].
const DEPLOYED: &[(Setting, &str)] = &[(Setting::MailTransport, "ses")];

/// The function that no request reaches.
const SCHEDULED: &str = "housekeeping";

fn template() -> Value {
    serde_yaml_ng::from_str(include_str!("../template.yaml")).unwrap()
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
fn each_function_has_exactly_the_settings_that_it_reads() {
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
            // Every function has this setting, but it is of no use to a function without callers.
            found.remove(Setting::CorsOrigins.name());
        }
        let known = greenroom::functions().into_iter().find(|known| known.name == name).unwrap();
        // Secrets are read from Secrets Manager, under names that begin with SECRETS_PREFIX.
        let read = known.settings.iter().filter(|setting| !setting.is_secret() && !LOCAL.contains(setting));
        let mut read: BTreeSet<_> = read.map(|setting| setting.name().to_owned()).collect();
        read.insert("SECRETS_PREFIX".to_owned());
        read.extend(Setting::EVERYWHERE.iter().map(|setting| setting.name().to_owned()));
        assert_eq!(found, read, "{name}");
    }
}

/// The secrets that a function's role lets it read.
fn readable_secrets(template: &Value, function: &Value) -> BTreeSet<String> {
    let Value::Tagged(role) = &function["Properties"]["Role"] else { panic!("a role by another way than `!GetAtt`") };
    let role = text(&role.value);
    let role = &template["Resources"][role.trim_end_matches(".Arn")]["Properties"];
    // Policies behind a tag depend on a parameter. Every role has the same ones, so they are left out here.
    let policies =
        role["Policies"].as_sequence().unwrap().iter().filter(|policy| policy["PolicyDocument"].is_mapping());
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().unwrap());
    let reads = |statement: &&Value| {
        let actions = statement["Action"].as_sequence().unwrap();
        actions.iter().any(|action| text(action).starts_with("secretsmanager:"))
    };
    let resources = statements.filter(reads).flat_map(|statement| statement["Resource"].as_sequence().unwrap());
    resources
        .map(|resource| {
            let Value::Tagged(pattern) = resource else { panic!("a secret by another way than `!Sub`") };
            let pattern = text(&pattern.value);
            let (_, name) = pattern.split_once(":secret:${SecretsPrefix}").unwrap();
            // Secrets Manager ends the ARN of each secret in a hyphen and six characters.
            name.strip_suffix("-??????").unwrap().to_owned()
        })
        .collect()
}

#[test]
fn each_function_may_read_exactly_the_secrets_of_its_settings() {
    let template = template();
    for known in greenroom::functions() {
        let families = SecretFamily::of_all(known.settings);
        // `greenroom_lambda::secrets` reads them one after the other.
        assert!(families.len() <= 3, "{}", known.name);
        let read: BTreeSet<_> = families.into_iter().map(|family| family.name().to_owned()).collect();
        assert_eq!(readable_secrets(&template, functions(&template)[known.name]), read, "{}", known.name);
        let homeless = known.settings.iter().filter(|setting| setting.is_secret());
        let homeless: Vec<_> = homeless.filter(|setting| SecretFamily::of(**setting).is_none()).collect();
        assert!(homeless.is_empty(), "{}: {homeless:?}", known.name);
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
    let rows = include_str!("../docs/memory.md").lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.map(|row| row.trim_end_matches(" |").split(" | ").collect::<Vec<_>>());
    // The first row of a function has a number at its end.
    let chosen = rows.filter_map(|cells| Some((cells[0].to_owned(), cells.last()?.parse().ok()?)));
    assert_eq!(deployed.collect::<BTreeMap<_, u64>>(), chosen.collect());
}
