//! `greenroom key create`: makes the secrets that a deployment reads.

use greenroom_aws::{ServiceClient, code, reason};
use greenroom_core::{
    clock::Timestamp,
    config::{SecretFamily, Setting},
    id::random_hex,
};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::Keyring;
use crate::cli::{
    CliError,
    aws::Aws,
    credential::{Credential, new_entry},
    data_dir::{opentok_key, opentok_secret},
};

/// Makes the missing secrets of a deployment. The values come from the one secret that `from` names, if it has them, or
/// are new. Existing secrets stay as they are.
pub(super) async fn create(aws: &Aws, prefix: &str, from: Option<&str>, now: Timestamp) -> Result<(), CliError> {
    let given = match from {
        Some(id) => Keyring::read_whole(aws, id).await?,
        None => Map::new(),
    };
    let client = aws.secrets_manager();
    for family in SecretFamily::ALL {
        let name = format!("{prefix}{}", family.name());
        let content = content_of(family, &given, now);
        let is_empty = content.is_empty();
        if !make(&client, &name, Value::from(content).to_string()).await? {
            println!("{name}: there already, and left as it is");
        } else if is_empty {
            println!("{name}: made, empty until you put {} into it", names(family));
        } else {
            println!("{name}: made, with {}", names(family));
        }
    }
    Ok(())
}

/// Makes a secret. Returns `false` if one has this name.
async fn make(client: &ServiceClient, name: &str, content: String) -> Result<bool, CliError> {
    let input = json!({ "Name": name, "SecretString": content, "ClientRequestToken": random_hex() });
    match client.call_target::<IgnoredAny>("CreateSecret", &input).await {
        Ok(_) => Ok(true),
        Err(error) if code(&error) == Some("ResourceExistsException") => Ok(false),
        Err(error) => Err(CliError::Aws(format!("the secret {name}"), reason(&error))),
    }
}

/// The content of a new secret.
fn content_of(family: SecretFamily, given: &Map<String, Value>, now: Timestamp) -> Map<String, Value> {
    let value = |setting: &Setting| {
        let given = given.get(setting.name()).filter(|value| value.as_str() != Some("")).cloned();
        Some((setting.name().to_owned(), given.or_else(|| made_for(*setting, now))?))
    };
    family.settings().iter().filter_map(value).collect()
}

/// A new value of a setting; `None` if another service gives it out.
fn made_for(setting: Setting, now: Timestamp) -> Option<Value> {
    match setting {
        Setting::OpentokApiKey => Some(opentok_key().into()),
        Setting::OpentokApiSecret => Some(opentok_secret().into()),
        Setting::OpentokWebhookSecret => None,
        setting => Some(json!([new_entry(Credential::of(setting)?, None, now)])),
    }
}

fn names(family: SecretFamily) -> String {
    family.settings().iter().map(|setting| setting.name()).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use greenroom_core::config::{Config, Environment, Strictness};

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn all(given: &Map<String, Value>) -> Map<String, Value> {
        SecretFamily::ALL.into_iter().flat_map(|family| content_of(family, given, NOW)).collect()
    }

    #[test]
    fn functions_start_with_what_is_made() {
        let settings: Vec<_> = SecretFamily::ALL.iter().flat_map(|family| family.settings()).copied().collect();
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let environment: Environment = all(&Map::new()).into_iter().map(|(name, value)| (name, text(value))).collect();
        assert!(
            Config::read_with_mail(&environment, &settings, Strictness::Deployed, greenroom_mail::settings).is_ok()
        );
    }

    #[test]
    fn what_a_single_secret_holds_is_kept_and_the_rest_made() {
        let given =
            json!({ "OPENVIDU_SECRET": "a", "SMTP_URL": "smtp://mail.example", "OPENTOK_API_KEY": "", "other": 1 });
        let made = all(given.as_object().unwrap());
        assert_eq!((&made["OPENVIDU_SECRET"], &made["SMTP_URL"]), (&json!("a"), &json!("smtp://mail.example")));
        assert_ne!(made["OPENTOK_API_KEY"], "");
        assert!(!made.contains_key("other") && !made.contains_key("STREAMS_API_TOKEN"));
    }
}
