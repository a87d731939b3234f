//! Checks of the secrets: whether functions can start with them, and how old their values are.

use std::time::Duration;

use clap::ValueEnum;
use greenroom_aws::code;
use greenroom_core::{
    clock::Timestamp,
    config::{Config, Environment, SecretFamily, Setting, Strictness},
};
use greenroom_store::Settings;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::Check;
use crate::cli::{
    aws::Aws,
    credential::{Credential, Values},
    key::Keyring,
    stack::{Stack, TABLE_NAME},
    text::duration,
};

/// The age of a value at which an operator should think of replacing it.
const OLD: Duration = Duration::from_hours(365 * 24);
/// How long two values may be live before an operator should finish the rotation.
const BOTH: Duration = Duration::from_hours(30 * 24);

/// The answer of `DescribeSecret`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    deleted_date: Option<f64>,
    kms_key_id: Option<String>,
}

/// The checks of a stack's secrets, and when one of them was last changed.
pub(super) async fn check(aws: &Aws, stack: &Stack, prefix: &str, now: Timestamp) -> (Vec<Check>, Option<Timestamp>) {
    let mut wrong = Vec::new();
    for family in SecretFamily::ALL {
        let id = format!("{prefix}{}", family.name());
        wrong.extend(unusable(aws, &id).await.map(|detail| Check::fail(format!("secret {id}"), detail)));
    }
    if !wrong.is_empty() {
        return (wrong, None);
    }
    let keyring = match Keyring::read(aws, prefix, &SecretFamily::ALL).await {
        Ok(keyring) => keyring,
        Err(error) => return (vec![Check::fail("secrets", error.to_string())], None),
    };
    let changed_at = keyring.changed_at();
    let age = changed_at.map_or_else(String::new, |at| format!(", changed {} ago", duration(now.since(at))));
    let mut checks = vec![Check::ok("secrets", format!("can be read{age}")), content(stack, &keyring)];
    let settings = match stack.output(TABLE_NAME) {
        // A problem of the table is reported by the table's check.
        Some(table) => aws.store(table).present_settings().await.ok().flatten(),
        None => None,
    };
    for credential in Credential::value_variants() {
        // Malformed and missing values were reported above.
        if let Ok(Some(values)) = keyring.values(*credential) {
            checks.push(ages(*credential, &values, settings.as_ref(), now));
        }
    }
    (checks, changed_at)
}

/// Why functions cannot read a secret, whatever it holds; `None` if they can.
async fn unusable(aws: &Aws, id: &str) -> Option<String> {
    let input = json!({ "SecretId": id });
    match aws.secrets_manager().call_target::<Described>("DescribeSecret", &input).await {
        Err(error) if code(&error) == Some("ResourceNotFoundException") => {
            Some("there is none: greenroom key create makes what is missing".to_owned())
        }
        Err(error) => Some(format!("cannot be described: {}", greenroom_aws::reason(&error))),
        Ok(found) if found.deleted_date.is_some() => {
            Some("Secrets Manager is about to delete it: aws secretsmanager restore-secret keeps it".to_owned())
        }
        Ok(found) if found.kms_key_id.as_deref().is_some_and(|key| !key.ends_with("alias/aws/secretsmanager")) => {
            Some("it has a key of its own, which the functions' roles may not use: give it the default one".to_owned())
        }
        Ok(_) => None,
    }
}

/// The check whether every function could start with them.
fn content(stack: &Stack, keyring: &Keyring) -> Check {
    let mut environment: Environment = keyring.settings().collect();
    // These parameters decide which secrets a function needs.
    let chosen = [(Setting::VideoProvider, "VideoProvider"), (Setting::MailTransport, "MailTransport")];
    let chosen = chosen.map(|(setting, parameter)| (setting, stack.parameter(parameter)));
    let chosen: Vec<_> = chosen.into_iter().filter_map(|(setting, value)| Some((setting, value?.to_owned()))).collect();
    environment.fill(chosen.iter().map(|(setting, value)| (setting.name().to_owned(), value.clone())));
    let asked = |setting: &Setting| setting.is_secret() || chosen.iter().any(|(chosen, _)| chosen == setting);
    let settings: Vec<_> = Setting::ALL.iter().copied().filter(asked).collect();
    match Config::read_with_mail(&environment, &settings, Strictness::Deployed, greenroom_mail::settings) {
        Ok(_) => Check::ok("secret content", "complete, with no default or short value"),
        Err(error) => Check::fail("secret content", format!("no function starts that reads it: {error}")),
    }
}

/// The check of how old the values of a credential are, and which of them are used.
fn ages(credential: Credential, values: &Values, settings: Option<&Settings>, now: Timestamp) -> Check {
    let setting = credential.setting().name();
    let used = |secret: &str| settings?.use_of(setting, secret);
    let age = |index: usize| {
        let live = &values.live()[index];
        let first_use = used(live.secret.expose_secret()).map(|known| known.first);
        live.created_at.or(first_use).map(|at| now.since(at))
    };
    let each = values.live().iter().enumerate().map(|(index, live)| {
        let old = age(index).map_or_else(|| "age unknown".to_owned(), |age| format!("{} old", duration(age)));
        let last =
            used(live.secret.expose_secret()).map(|known| format!("used {} ago", duration(now.since(known.last))));
        format!("{old}, {}", last.unwrap_or_else(|| "no use known".to_owned()))
    });
    let detail = each.collect::<Vec<_>>().join("; ");
    let name = format!("key {}", credential.name());
    let ages: Vec<_> = (0..values.live().len()).filter_map(age).collect();
    if ages.iter().any(|age| *age > OLD) {
        return Check::warn(name, format!("{detail}: over a year; greenroom key rotate {}", credential.name()));
    }
    if values.live().len() > 1 && ages.iter().min().is_some_and(|age| *age > BOTH) {
        return Check::warn(
            name,
            format!("{detail}: drop the older value, greenroom key retire {}", credential.name()),
        );
    }
    Check::ok(name, detail)
}
