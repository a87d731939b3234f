//! No function's role allows more in the table than the function uses.
//!
//! Every other test checks that the roles allow enough: [`TestApp`] and the functions' own binaries are refused
//! everything that `template.yaml` does not allow.

use std::{collections::BTreeSet, time::Duration};

use greenroom_core::config::Setting;
use testbed::rights::seen_on_this_thread;

use crate::{
    capacity::{LIVEKIT, MEASURED},
    support::{ROLES, TestApp},
};

/// The credentials whose uses are recorded.
const CREDENTIALS: [Setting; 6] = [
    Setting::OpenviduSecret,
    Setting::SigningKeys,
    Setting::StreamsAccessToken,
    Setting::StreamsWebhookSecret,
    Setting::OpentokWebhookSecret,
    Setting::LivekitApiSecret,
];

/// The time after which the use of a credential is recorded again.
const LONG: Duration = Duration::from_hours(2);

/// Rights that functions need only in cases that `docs/cost.md` does not list, each with these cases. Other tests cover
/// them.
const RARE: &[(&str, &str, &[&str])] = &[
    (
        "admission",
        "viewers who go with their publisher, come by way of a proxy or with a media session's token, and terminated ones",
        &["ConditionCheckItem", "JOBS#*", "LIVEPEER#*", "LIVESTREAM#*", "MEDIA#*", "Query"],
    ),
    ("apitokens", "tokens of earlier versions, and many", &["ConditionCheckItem", "Query"]),
    ("bookingemails", "a device books", &["DEVICE#*"]),
    ("contacts", "a wrong password", &["GUESSES#*", "UpdateItem"]),
    (
        "create-session",
        "registration by token; a session of the same name that was closed and is half cleared away",
        &[
            "APITOKENS#*",
            "ConditionCheckItem",
            "DeleteItem",
            "JOBS#*",
            "LEDGER#*",
            "LIVEKITGONE#*",
            "LIVEKITROOMS#*",
            "MEDIA#*",
            "Query",
        ],
    ),
    (
        "events",
        "an event whose session was renewed at the provider, whose floor goes, whose name is another's",
        &["EVENT#*/FORMER", "EVENTNAME#*", "FLOOR#*"],
    ),
    (
        "fallback",
        "a wrong method of /api/v2 asks for the credentials of the path",
        &["APITOKENS#*", "DEVICE#*", "USERS#*"],
    ),
    (
        "housekeeping",
        "work on users, rooms, media sessions and viewers that was broken off; rooms of a LiveKit server",
        &[
            "ARCHIVE#*",
            "BatchGetItem",
            "ConditionCheckItem",
            "EVENT#*/FORMER",
            "EVENTNAME#*",
            "EVENTS#*",
            "LEDGER#*",
            "LIVEKITGONE#*",
            "LIVEKITROOMS#*",
            "LIVESTREAM#*",
            "MEDIA#*",
            "PROVIDERSESSION#*",
            "PutItem",
            "ROOM#*",
            "ROOMARCHIVE#*",
            "ROOMS#*",
            "ROSTER#*",
            "USER#*/EVENTS",
            "USER#*/USERS",
            "USERNAME#*",
            "USERS#*",
        ],
    ),
    (
        "live",
        "managers; terminated viewers, participants of media sessions, and whoever a media server has to cut off",
        &["LEDGER#*", "LIVESTREAM#*", "MEDIA#*", "SESSIONS#*", "USER#*/EVENTS", "UpdateItem"],
    ),
    (
        "logintokens",
        "managers; a token that another has; an event that is being deleted",
        &["ENDED", "LOGINTOKEN#*", "USER#*/EVENTS"],
    ),
    ("message-events", "a wrong password", &["GUESSES#*", "UpdateItem"]),
    ("messages", "a wrong password", &["GUESSES#*"]),
    ("networktestsessions", "a device tries the network", &["DEVICE#*"]),
    ("opentok-webhook", "who comes back with a terminated token", &["JOBS#*", "UpdateItem"]),
    ("rtcsessions", "a device joins; a wrong login token", &["DEVICE#*", "GUESSES#*", "PutItem", "UpdateItem"]),
    ("sessions", "managers", &["USER#*/EVENTS"]),
    (
        "stream-sessions",
        "no stream of that name; terminated viewers, and whoever a media server has to cut off",
        &["APPS", "JOBS#*", "LIVESTREAM#*"],
    ),
    (
        "users",
        "a user who is renamed or deleted after they wrote messages, were in rooms and had contacts",
        &["ARCHIVE#*", "ConditionCheckItem", "ROOM#*", "ROOMARCHIVE#*", "ROOMS#*", "ROSTER#*", "USERNAME#*"],
    ),
];

/// The work of a process before any request: it reads the settings when it starts, and records that its credentials are
/// used.
async fn start_and_note() {
    let app = TestApp::with(LIVEKIT).await;
    for function in greenroom::functions() {
        if !function.settings.contains(&Setting::TableName) {
            continue;
        }
        let process = app.again_with([]).shared;
        let work = Box::pin(async {
            process.store.prime().await.unwrap();
            if function.router.has_routes() {
                for credential in CREDENTIALS.into_iter().filter(|one| function.settings.contains(one)) {
                    process.last_used.mark(credential, 0);
                }
                process.last_used.write_down(&process.store, process.clock.now()).await;
            }
        });
        app.acting_as(function.name, work).await;
        app.wait(LONG);
    }
}

#[tokio::test]
async fn no_role_allows_more_than_its_function_needs() {
    start_and_note().await;
    let mut used = seen_on_this_thread();
    used.extend(MEASURED.used.iter().cloned());
    let unused = ROLES.unused(&used);
    let rare: BTreeSet<_> = RARE
        .iter()
        .flat_map(|(function, _, rights)| rights.iter().map(|right| ((*function).to_owned(), (*right).to_owned())))
        .collect();
    assert_eq!(unused, rare);
}
