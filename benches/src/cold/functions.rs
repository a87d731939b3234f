//! The functions, the memory of each, and its most usual request.

use std::{collections::BTreeMap, fs, path::Path};

use serde_yaml_ng::Value;

use crate::Result;

/// The most usual requests of functions, and the statuses of their answers. A function that no caller waits for has none.
const USUAL: &[(&str, &str, Option<u16>)] = &[
    ("create-session", "device", Some(200)),
    ("device-session", "read", Some(200)),
    ("media-sessions", "read", Some(200)),
    ("issue-token", "issue-token", Some(200)),
    ("messages", "list", Some(200)),
    ("message-events", "listen", Some(200)),
    ("rooms", "read", Some(200)),
    ("contacts", "list", Some(200)),
    ("api-root", "read", Some(200)),
    ("token-auth", "obtain", Some(200)),
    ("users", "list", Some(200)),
    ("events", "list", Some(200)),
    ("sessions", "list", Some(200)),
    ("logintokens", "list", Some(200)),
    ("apitokens", "list", Some(200)),
    ("rtcsessions", "join", Some(201)),
    ("networktestsessions", "create", Some(201)),
    ("bookingemails", "send", Some(204)),
    ("stream-sessions", "list", Some(200)),
    ("admission", "opening", Some(200)),
    ("live", "list", Some(200)),
    ("opentok-webhook", "connected", Some(200)),
    ("livekit-webhook", "joined", Some(200)),
    ("specification", "read", Some(200)),
    ("housekeeping", "scheduled", None),
    ("fallback", "preflight", Some(200)),
];

/// A function's name, an event of it, and the status of the answer.
pub(crate) type Asked = (String, String, Option<u16>);

/// A request of every function of the template: the most usual one, or else its first event that succeeds.
pub(crate) fn requests() -> Result<Vec<Asked>> {
    let statuses =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/lambda/snapshots/lambda__events__statuses.snap");
    let text = fs::read_to_string(statuses)?;
    let (_, statuses) = text.rsplit_once("\n---\n").ok_or("no snapshot of statuses")?;
    let statuses: BTreeMap<String, u16> = serde_json::from_str(statuses)?;
    let asked = memory()?.into_iter().map(|(name, _)| {
        if let Some((_, event, status)) = USUAL.iter().find(|(usual, ..)| *usual == name) {
            return Ok((name, (*event).to_owned(), *status));
        }
        let mut events = statuses.iter().filter(|(_, status)| (200..300).contains(*status));
        let event = events.find_map(|(event, status)| Some((event.strip_prefix(&format!("{name}/"))?, *status)));
        let (event, status) = event.ok_or_else(|| format!("no event of {name} succeeds"))?;
        Ok((name, event.to_owned(), Some(status)))
    });
    asked.collect()
}

/// The memory of every function of the template, in megabytes, by the name of its binary.
pub(crate) fn memory() -> Result<Vec<(String, u64)>> {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../template.yaml");
    let template: Value = serde_yaml_ng::from_str(&fs::read_to_string(template)?)?;
    let size = |size: &Value| parameter(&template, size).ok_or("a MemorySize that is neither a number nor a parameter");
    let usual = size(&template["Globals"]["Function"]["MemorySize"])?;
    let mut functions = Vec::new();
    for resource in template["Resources"].as_mapping().ok_or("no resources")?.values() {
        let Some(name) = resource["Metadata"]["BuildProperties"]["Binary"].as_str() else { continue };
        let own = resource["Properties"].get("MemorySize").map(size).transpose()?;
        functions.push((name.to_owned(), own.unwrap_or(usual)));
    }
    Ok(functions)
}

/// A number, or the default of the parameter that the value refers to.
fn parameter(template: &Value, value: &Value) -> Option<u64> {
    match value {
        Value::Tagged(reference) => template["Parameters"][reference.value.as_str()?]["Default"].as_u64(),
        number => number.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_template_has_a_request() {
        let (deployed, asked) = (memory().unwrap(), requests().unwrap());
        assert_eq!(asked.len(), deployed.len());
        let usual = USUAL.iter().filter(|(name, ..)| asked.iter().any(|(function, ..)| function == name));
        assert_eq!(usual.count(), USUAL.len(), "a request is of no function");
    }
}
