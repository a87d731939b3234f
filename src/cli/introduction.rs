//! What `greenroom serve` tells the person at the terminal: where it is, what it has made, and what to try.

use base64::{Engine, prelude::BASE64_STANDARD};
use shared::config::{DeviceRegistration, Setting};

use super::{accounts::ADMIN, place::Place};

const JSON: &str = "-H 'Content-Type: application/json'";

/// Tells where we are and what to try. What was just made is shown this once.
pub(super) fn introduce(url: &str, place: &Place, database: Option<&str>) {
    println!("greenroom listening on {url}");
    println!("  documentation: {url}/docs");
    println!("  data: {}", place.description);
    if let Some(database) = database {
        println!("  DynamoDB: {database}");
    }
    show_secrets(place);
    println!();
    let password = place.shown.get(Setting::AdminPassword).filter(|_| place.new).unwrap_or("$ADMIN_PASSWORD");
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
    suggest_media_session(url, place);
    let jid = format!("{ADMIN}@{}", place.config.xmpp_domain);
    let user = format!("-u \"{jid}:{password}\"");
    println!("A participant listens, and is written to:");
    println!("  curl -N {user} {url}/api/sse");
    println!("  curl {user} {url}/api/messages {JSON} -d '{{\"to\":\"{jid}\",\"body\":\"Hello!\"}}'");
}

fn suggest_media_session(url: &str, place: &Place) {
    let secret = place.shown.get(Setting::OpenviduSecret).unwrap_or("$OPENVIDU_SECRET");
    println!("A back-end opens a session and hands out a token:");
    println!("  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/sessions {JSON} -d '{{\"customSessionId\":\"daily\"}}'");
    println!(
        "  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/tokens {JSON} -d '{{\"session\":\"daily\",\"role\":\"PUBLISHER\"}}'"
    );
    println!("  curl -u \"OPENVIDUAPP:{secret}\" {url}/api/sessions");
    let token = place.shown.get(Setting::StreamsAccessToken).map(|token| BASE64_STANDARD.encode(token));
    let token = token.as_deref().unwrap_or("$(printf %s \"$STREAMS_ACCESS_TOKEN\" | base64 | tr -d '\\n')");
    let list = format!("{url}/v1/vhosts/default/apps/openvidu/streams/daily/sessions");
    println!("An operator lists who is in it, and may terminate one of them (DELETE, with the name behind it):");
    println!("  curl {list} -H \"Authorization: Basic {token}\"");
}

fn show_secrets(place: &Place) {
    let kept = [
        ("OpenVidu secret", Setting::OpenviduSecret),
        ("access token of live sessions", Setting::StreamsAccessToken),
        ("secret of admission webhooks", Setting::StreamsWebhookSecret),
    ];
    let made = [
        ("password of the user admin", Setting::AdminPassword),
        ("API token", Setting::ApiToken),
        ("mobile clients' API token", Setting::MobileApiToken),
    ];
    for (name, setting) in kept.into_iter().chain(made.into_iter().filter(|_| place.new)) {
        if let Some(secret) = place.shown.get(setting) {
            println!("  {name}: {secret}");
        }
    }
}
