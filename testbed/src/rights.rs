//! The rights of the functions' roles in `template.yaml`, the rights that a request to the table needs, and the
//! comparison.
//!
//! IAM checks a condition against all partition keys of a request together, as `dynamodb:LeadingKeys`. For a
//! transaction it checks the action of each part; no documentation says that it checks their keys one by one. So here
//! one statement has to allow an action for all keys of the request, which is enough in either case.

mod asked;
mod guard;
mod routes;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use serde_yaml_ng::Value;

pub use self::{
    asked::Asked,
    guard::{Guard, Use, call_of, seen_on_this_thread},
    routes::Routes,
};

/// The condition key for partition keys.
const LEADING_KEYS: &str = "dynamodb:LeadingKeys";

/// Why a template's roles cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RightsError {
    /// The file cannot be read.
    #[error("the template cannot be read: {0}")]
    Io(#[from] std::io::Error),
    /// The file is not YAML.
    #[error("the template cannot be read: {0}")]
    Yaml(#[from] serde_yaml_ng::Error),
    /// A statement about the table is not limited to keys, or its limit allows requests without keys.
    #[error("a statement of {0} is not limited by {LEADING_KEYS}, or allows requests without keys")]
    Unlimited(String),
}

/// A right in the table: these actions on items with these partition keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The actions, without `dynamodb:`.
    pub actions: BTreeSet<String>,
    /// Patterns of partition keys, with `*` for any text and `?` for one character.
    pub keys: BTreeSet<String>,
}

impl Statement {
    /// Whether this statement allows the action for all of these keys.
    fn allows(&self, action: &str, keys: &BTreeSet<String>) -> bool {
        !keys.is_empty()
            && self.actions.contains(action)
            && keys.iter().all(|key| self.keys.iter().any(|pattern| matches(pattern, key)))
    }
}

/// The rights of each function's role in the table.
#[derive(Clone, Debug)]
pub struct Roles(BTreeMap<String, Vec<Statement>>);

impl Roles {
    /// The roles of this workspace's `template.yaml`.
    pub fn of_workspace() -> Result<Self, RightsError> {
        Self::of_template(&fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml"))?)
    }

    /// The roles of a template, each by the name of the function that has it.
    pub fn of_template(template: &str) -> Result<Self, RightsError> {
        let template: Value = serde_yaml_ng::from_str(template)?;
        let resources = || template["Resources"].as_mapping().into_iter().flatten();
        let functions = resources().filter(|(_, resource)| resource["Type"] == "AWS::Serverless::Function");
        let roles = functions.map(|(_, function)| {
            let properties = &function["Properties"];
            let name = text(&function["Metadata"]["BuildProperties"]["Binary"]);
            let role = text(&properties["Role"]).trim_end_matches(".Arn").to_owned();
            let statements = statements(&template["Resources"][&*role]["Properties"]["Policies"], &name)?;
            Ok((name, statements))
        });
        roles.collect::<Result<_, RightsError>>().map(Self)
    }

    /// Every function with the rights of its role.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Statement])> {
        self.0.iter().map(|(function, statements)| (function.as_str(), statements.as_slice()))
    }

    /// The actions of a request that this function's role does not allow; empty if it allows all of them.
    #[must_use]
    pub fn refused<'a>(&self, function: &str, asked: &'a Asked) -> BTreeSet<&'a str> {
        let statements = self.0.get(function).map_or(&[][..], Vec::as_slice);
        let allowed = |action: &str| statements.iter().any(|statement| statement.allows(action, &asked.keys));
        asked.actions.iter().map(String::as_str).filter(|action| !allowed(action)).collect()
    }

    /// The rights that these uses do not need: actions and keys of statements, each with its function.
    #[must_use]
    pub fn unused(&self, uses: &BTreeSet<Use>) -> BTreeSet<(String, String)> {
        let mut unused = BTreeSet::new();
        for (function, statements) in &self.0 {
            let of_function: Vec<_> = uses.iter().filter(|one| one.function == *function).collect();
            for Statement { actions, keys } in statements {
                let on = |action: &str, pattern: &str| {
                    of_function.iter().any(|one| one.action == action && matches(pattern, &one.key))
                };
                let actionless = keys.iter().filter(|key| !actions.iter().any(|action| on(action, key)));
                let keyless = actions.iter().filter(|action| !keys.iter().any(|key| on(action, key)));
                unused.extend(actionless.chain(keyless).map(|of| (function.clone(), of.clone())));
            }
        }
        unused
    }
}

/// The statements about the table in these policies.
fn statements(policies: &Value, function: &str) -> Result<Vec<Statement>, RightsError> {
    let policies = policies.as_sequence().into_iter().flatten();
    let statements =
        policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_sequence().into_iter().flatten());
    let read = statements.map(|statement| {
        let actions = statement["Action"].as_sequence().into_iter().flatten();
        let actions = actions.filter_map(|action| action.as_str()?.strip_prefix("dynamodb:").map(str::to_owned));
        let actions: BTreeSet<_> = actions.collect();
        if actions.is_empty() {
            return Ok(None);
        }
        let condition = &statement["Condition"];
        let keys = condition["ForAllValues:StringLike"][LEADING_KEYS].as_sequence().into_iter().flatten();
        let keys: BTreeSet<_> = keys.map(text).collect();
        // `ForAllValues` is also true for a request without any key.
        if keys.is_empty() || condition["Null"][LEADING_KEYS] != "false" {
            return Err(RightsError::Unlimited(function.to_owned()));
        }
        Ok(Some(Statement { actions, keys }))
    });
    read.filter_map(Result::transpose).collect()
}

/// A string, even one with a tag such as `!GetAtt`; empty for anything else.
fn text(value: &Value) -> String {
    let value = if let Value::Tagged(tagged) = value { &tagged.value } else { value };
    value.as_str().unwrap_or_default().to_owned()
}

/// Whether this text matches a pattern of IAM's `StringLike`.
fn matches(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else { return text.is_empty() };
    let rest = &pattern[first.len_utf8()..];
    match first {
        '*' => text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| matches(rest, &text[at..])),
        _ => text
            .chars()
            .next()
            .is_some_and(|next| (first == '?' || first == next) && matches(rest, &text[next.len_utf8()..])),
    }
}

#[cfg(test)]
mod tests;
