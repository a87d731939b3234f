//! Checks of a LiveKit server: whether it answers, whether it takes our tokens, and whether its webhooks arrive.

use std::{cmp::Reverse, time::Duration};

use greenroom_core::{
    clock::{Clock, Timestamp},
    config::{LiveKit, LiveKitRooms, Setting},
    id::ConnectionName,
    model::RoomName,
};
use greenroom_media::{
    outgoing::{self, HttpClient},
    provider::{ListedRoom, LiveKitGrant, LiveKitProvider, LiveKitRights, ProviderError},
};
use greenroom_store::{RoomStanding, Store, StoreError};
use http::StatusCode;
use secrecy::ExposeSecret;

use super::{Check, clock, request::get};
use crate::cli::{CliError, media::DEVELOPMENT_SECRET, text::duration};

/// The difference of clocks beyond which tokens may be refused. The server takes those that are a minute off.
const FAR_APART: Duration = Duration::from_secs(30);
/// How long a token lives that is only shown to the server.
const TOKEN_TTL: Duration = Duration::from_mins(1);
/// How long a webhook may be on its way.
const ON_ITS_WAY: Duration = Duration::from_mins(1);
/// How much older the last webhook may be than its note in the table (`greenroom_http::last_used`).
const NOTED: Duration = Duration::from_mins(75);

/// The names of the checks.
const SETTINGS: &str = "LiveKit settings";
const SERVER: &str = "LiveKit server";
const CLOCK: &str = "LiveKit clock";
const KEY: &str = "LiveKit key";
const ROOMS: &str = "LiveKit rooms";
const WEBHOOKS: &str = "LiveKit webhooks";
const ARCHIVES: &str = "LiveKit archives";

/// Checks the server that is configured. No checks if there is none.
pub(super) async fn check(
    settings: Result<Option<LiveKit>, CliError>,
    store: Option<&Store>,
    clock: &Clock,
) -> Vec<Check> {
    let server = match settings {
        Ok(Some(server)) => server,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![Check::fail(SETTINGS, error.to_string())],
    };
    let client = outgoing::client();
    let mut checks = vec![keys(&server)];
    let (answering, is_livekit) = answering(&client, &server, clock).await;
    checks.extend(answering);
    if !is_livekit {
        // Something else is not shown a token.
        return checks;
    }
    let provider = LiveKitProvider::new(&server, clock.clone());
    let listed = provider.rooms().await;
    checks.push(key(&listed));
    if let Ok(rooms) = listed {
        checks.push(joining(&client, &server, &provider, clock.now()).await);
        checks.push(match store {
            Some(store) => webhooks(&server, rooms, store, clock.now())
                .await
                .unwrap_or_else(|error| Check::warn(WEBHOOKS, format!("whether any has come cannot be read: {error}"))),
            None => Check::warn(WEBHOOKS, "whether any has come is not known without the store"),
        });
    }
    checks.push(Check::ok(ARCHIVES, "none: Greenroom has LiveKit record nothing"));
    checks
}

/// The check of the keys. Settings with a secret that is too short are refused, but for that of the development mode.
fn keys(server: &LiveKit) -> Check {
    let is_development = server.keys.iter().any(|key| key.secret.expose_secret() == DEVELOPMENT_SECRET);
    let secret = if is_development { "that of the development mode, for this machine only" } else { "long enough" };
    Check::ok(SETTINGS, format!("{}, keys: {}, secret: {secret}", server.api_url, server.keys.len()))
}

/// The checks of the server's bare answer, and whether it is LiveKit's.
async fn answering(client: &HttpClient, server: &LiveKit, clock: &Clock) -> (Vec<Check>, bool) {
    let url = &server.api_url;
    let answer = get(client, &format!("{url}/")).await;
    let now = clock.now();
    let (status, headers, body) = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let detail = format!("{url} {error}: look at the server, its proxy and LIVEKIT_URL");
            return (vec![Check::fail(SERVER, detail)], false);
        }
    };
    let is_livekit = status == StatusCode::OK && body.trim_ascii() == b"OK";
    let remedy = "no LiveKit server is at this address: look at its proxy and at LIVEKIT_URL";
    let mut checks = vec![Check::of(SERVER, is_livekit, format!("{url} answers {status}"), remedy)];
    if is_livekit {
        let remedy = "let both machines take their time from NTP";
        checks.push(clock::check(CLOCK, headers.get("date").map(String::as_str), now, FAR_APART, remedy));
    }
    (checks, is_livekit)
}

/// The check whether the server knows the key that signs.
fn key(listed: &Result<Vec<ListedRoom>, ProviderError>) -> Check {
    match listed {
        Ok(rooms) => Check::ok(KEY, format!("accepted; open rooms: {}", rooms.len())),
        Err(ProviderError::Credentials) => Check::fail(
            KEY,
            format!(
                "refused: compare LIVEKIT_API_KEY and its secret with keys in the server's config, and see {CLOCK}"
            ),
        ),
        Err(error) => Check::fail(KEY, format!("{error}")),
    }
}

/// The check whether joining makes a room, with a token for a room that nobody made. The server only judges the token.
async fn joining(client: &HttpClient, server: &LiveKit, provider: &LiveKitProvider, now: Timestamp) -> Check {
    let (room, name) = (RoomName::NetworkTest.room(), ConnectionName::random());
    let (rights, expires_at) = (LiveKitRights::Subscribe, now + TOKEN_TTL);
    let access = match provider.access(&LiveKitGrant { room: &room, name: &name, rights, expires_at }) {
        Ok(access) => access,
        Err(error) => return Check::fail(ROOMS, error.to_string()),
    };
    let url = format!("{}/rtc/validate?access_token={}", server.api_url, access.token.as_str());
    match (get(client, &url).await, server.rooms) {
        (Ok((StatusCode::OK, ..)), LiveKitRooms::Auto) => Check::ok(ROOMS, "joining makes them"),
        (Ok((StatusCode::OK, ..)), LiveKitRooms::Made) => Check::fail(
            ROOMS,
            "joining makes them too, so a token outlives its room: set room.auto_create to false at the server",
        ),
        (Ok((StatusCode::NOT_FOUND, _, body)), rooms) if body.starts_with(b"requested room does not exist") => {
            match rooms {
                LiveKitRooms::Made => Check::ok(ROOMS, "Greenroom makes them"),
                LiveKitRooms::Auto => Check::fail(
                    ROOMS,
                    "joining makes none: set LIVEKIT_ROOMS to made, or room.auto_create to true at the server",
                ),
            }
        }
        (Ok((status, ..)), _) => {
            Check::fail(ROOMS, format!("a participant's token is answered {status}: see the server's log"))
        }
        (Err(error), _) => Check::fail(ROOMS, format!("a participant's token cannot be shown: {error}")),
    }
}

/// The check whether webhooks arrive: one is due since the last room of ours was opened.
async fn webhooks(
    server: &LiveKit,
    rooms: Vec<ListedRoom>,
    store: &Store,
    now: Timestamp,
) -> Result<Check, StoreError> {
    let settings = store.present_settings().await?;
    let uses = server
        .keys
        .iter()
        .filter_map(|key| settings.as_ref()?.use_of(Setting::LivekitApiSecret.name(), key.secret.expose_secret()));
    // Each webhook is signed with one of the secrets, and nothing else uses them here.
    let last = uses.map(|known| known.last).max();
    let said = last.map_or_else(
        || "none has come".to_owned(),
        |last| format!("the last one that was noted came {} ago", duration(now.since(last))),
    );
    let due = newest_of_ours(rooms, store, now).await?;
    Ok(match due {
        None => Check::ok(WEBHOOKS, format!("{said}; none is due, since no room of ours is open")),
        Some(opened) if last.is_some_and(|last| opened <= last + NOTED) => Check::ok(WEBHOOKS, said),
        Some(_) => Check::fail(
            WEBHOOKS,
            format!(
                "{said}, and a room is open: in the server's config, webhook.urls has to lead to /webhooks/livekit \
                 here, and webhook.api_key has to be one of our keys"
            ),
        ),
    })
}

/// When the newest room was opened that a session of ours has, apart from those whose webhook may be on its way.
async fn newest_of_ours(
    rooms: Vec<ListedRoom>,
    store: &Store,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let has_session =
        |room: &ListedRoom| RoomName::parse(room.name.as_str()).is_some_and(|name| name.stream().is_some());
    let mut rooms: Vec<_> = rooms.into_iter().filter(has_session).collect();
    rooms.retain(|room| room.opened_at() + ON_ITS_WAY < now);
    rooms.sort_by_key(|room| Reverse(room.opened_at()));
    for room in rooms {
        // Another deployment may have rooms on the same server.
        if store.room_standing(&room.name, now).await? == RoomStanding::Ours {
            return Ok(Some(room.opened_at()));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests;
