//! The text that `greenroom serve` prints at its start: the addresses, the credentials that it made, and requests to
//! try.

use std::path::Path;

use greenroom_core::{
    config::{DeviceRegistration, Setting},
    password,
};
use greenroom_media::termination::capability;

use super::{
    CliError,
    accounts::ADMIN,
    credential::Credential,
    data_dir::OpenDataDir,
    error::quoted,
    place::{Known, Place},
    reach::Reach,
};

const JSON: &str = "-H 'Content-Type: application/json'";

/// Prints the addresses and requests to try. Credentials that were just made are shown only this once.
pub(super) async fn introduce(reach: &Reach, place: &Place, database: Option<&str>) -> Result<(), CliError> {
    let url = &reach.url;
    println!("greenroom listening on {url}");
    if let Some(others) = &reach.others {
        println!("  open to: {others}");
    }
    println!("  documentation: {url}/docs");
    println!("  data: {}", place.description);
    if let Some(database) = database {
        println!("  DynamoDB: {database}");
    }
    println!("  live sessions: {}", capability(&place.config));
    let shell = Shell::of(place)?;
    show_secrets(place, &shell);
    println!();
    let password = if knows_admin(place).await? {
        shell.word(place, Setting::AdminPassword)
    } else {
        println!("(ADMIN_PASSWORD stands for the password of {ADMIN}, which is known to nobody here;");
        println!("`greenroom user set-password {ADMIN}` gives them another.)");
        "$ADMIN_PASSWORD".to_owned()
    };
    println!("An organiser logs in; `greenroom demo` makes an event to join:");
    println!(
        "  curl {url}/api/v2/token-auth/obtain/ {JSON} -d \"{{\\\"username\\\":\\\"{ADMIN}\\\",\\\"password\\\":\\\"{password}\\\"}}\""
    );
    println!("A device registers:");
    if place.config.device_registration == DeviceRegistration::Token {
        println!(
            "  (with DEVICE_REGISTRATION=token it shows a token of `greenroom api-token create NAME` as bearer token)"
        );
    }
    println!("  curl {url}/api/sessions {JSON} -d '{{\"identifier\":\"device_unique_id_here\"}}'");
    suggest_media_session(url, place, &shell);
    let jid = format!("{ADMIN}@{}", place.config.xmpp_domain);
    let user = format!("-u \"{jid}:{password}\"");
    println!("A participant listens, and is written to:");
    println!("  curl -N {user} {url}/api/sse");
    println!("  curl {user} {url}/api/messages {JSON} -d '{{\"to\":\"{jid}\",\"body\":\"Hello!\"}}'");
    Ok(())
}

/// Whether the stored password of the first user is still theirs.
async fn knows_admin(place: &Place) -> Result<bool, CliError> {
    let Some(known) = &place.config.admin_password else { return Ok(false) };
    let Some(admin) = place.store.user_named(ADMIN).await? else { return Ok(false) };
    let hash = place.store.password_hash(admin.id).await?;
    Ok(!admin.blocked && password::verify(known.clone(), hash).await?)
}

fn suggest_media_session(url: &str, place: &Place, shell: &Shell) {
    let secret = shell.word(place, Setting::OpenviduSecret);
    println!("A back-end opens a session (409 where it is open already) and hands out a token:");
    println!("  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/sessions {JSON} -d '{{\"customSessionId\":\"daily\"}}'");
    println!(
        "  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/tokens {JSON} -d '{{\"session\":\"daily\",\"role\":\"PUBLISHER\"}}'"
    );
    println!("  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/sessions");
    let token = shell.word(place, Setting::StreamsAccessToken);
    let list = format!("{url}/v1/vhosts/default/apps/openvidu/streams/daily/sessions");
    println!("An operator lists who is in it, and may terminate one of them (DELETE, with the name behind it):");
    println!("  curl {list} -H \"Authorization: Basic $(printf %s \"{token}\" | base64 | tr -d '\\n')\"");
}

fn show_secrets(place: &Place, shell: &Shell) {
    let kept = [
        ("OpenVidu secret", Setting::OpenviduSecret),
        ("access token of live sessions", Setting::StreamsAccessToken),
        ("secret of admission webhooks", Setting::StreamsWebhookSecret),
        ("access key id of the DynamoDB port", Setting::LocalDynamodbKey),
    ];
    let made = [
        ("password of the user admin", Setting::AdminPassword),
        ("API token", Setting::ApiToken),
        ("mobile clients' API token", Setting::MobileApiToken),
    ];
    for (name, setting) in kept.into_iter().chain(made.into_iter().filter(|_| place.new)) {
        if let Known::Made(secret) = place.secrets.get(setting) {
            println!("  {name}: {secret}");
        }
    }
    if let Some(file) = &shell.file {
        println!("  credentials: {}", file.display());
    }
}

/// How a line for a shell gets a credential.
struct Shell {
    /// The file of the credentials, by a path that works in that shell.
    file: Option<std::path::PathBuf>,
    /// The path of this program.
    program: std::path::PathBuf,
}

impl Shell {
    fn of(place: &Place) -> Result<Self, CliError> {
        let absolute = |path: &Path| path.canonicalize().map_err(|error| CliError::File(path.to_owned(), error));
        let file = place.data_dir.as_ref().map(OpenDataDir::secrets_file);
        let program = std::env::current_exe().unwrap_or_else(|_| "greenroom".into());
        Ok(Self { file: file.as_deref().map(absolute).transpose()?, program })
    }

    /// The text for a credential between double quotes.
    fn word(&self, place: &Place, setting: Setting) -> String {
        let name = setting.name();
        match (place.secrets.get(setting), &self.file) {
            (Known::Made(secret), _) => secret.clone(),
            (Known::Kept { bare: true }, Some(file)) => format!("$(. {} && printf %s \"${name}\")", quoted(file)),
            (Known::Kept { bare: false }, Some(file)) => {
                let (program, dir) = (quoted(&self.program), file.parent().map(quoted).unwrap_or_default());
                let credential = Credential::of(setting).map_or(name, Credential::name);
                format!("$({program} key show {credential} --data-dir {dir} 2>/dev/null)")
            }
            _ => format!("${name}"),
        }
    }
}
