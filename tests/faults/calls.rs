//! A successful call of each operation of the document.

use std::collections::BTreeSet;

use greenroom_core::model::user::Role;
use serde_json::{Value, json};
use testbed::{Request, livekit_signature};

use crate::{
    bed::{Bed, CALLBACK_SECRET, Call},
    contract::{operation_of, operations},
    world::{PASSWORD, backend, operator, participant, webhook, webhook_again},
};

/// The stream and the name of the viewer in the admission webhook.
const NEWCOMER: [&str; 2] = ["stream", "three"];

/// The same call for a second try. A refused opening stays refused, so the media server sends another webhook.
pub(crate) fn anew(call: &Call) -> Call {
    let [stream, name] = NEWCOMER;
    if call.path == "/v1/admission" { webhook_again(stream, name) } else { call.clone() }
}

/// A webhook of session monitoring about an unknown session.
fn monitoring() -> Value {
    json!({
        "sessionId": "1_nobodys", "projectId": "45828062", "event": "connectionCreated", "reason": "",
        "timestamp": 1_700_000_000_000_i64,
        "connection": { "id": "a", "createdAt": 1_700_000_000_000_i64, "data": "con_nobodys" },
    })
}

/// A webhook of a LiveKit server about an unknown room.
fn room_event(bed: &Bed) -> Call {
    let body = json!({
        "event": "participant_joined", "id": "EV_1", "createdAt": "1700000000",
        "room": { "sid": "RM_1", "name": "e1-s1-abcdefghijkl" },
        "participant": {
            "sid": "PA_1", "identity": "3925d357-59b3-4b4e-b217-81c9f71e4674", "joinedAtMs": "1700000000000",
        },
    });
    let signature = livekit_signature(body.to_string(), bed.clock.now().seconds());
    Call::new("POST", "/webhooks/livekit").with("authorization", signature).json(body)
}

/// A call of every operation, in an order in which all of them succeed. Creates the records that the calls need.
pub(crate) async fn every(bed: &Bed) -> Vec<Call> {
    let mut calls = devices(bed).await;
    calls.extend(media(bed).await);
    calls.extend(openvidu(bed).await);
    calls.extend(conversations(bed).await);
    calls.extend(live(bed).await);
    calls.extend(organisers(bed).await);
    calls.extend(people(bed).await);
    let called: BTreeSet<_> = calls.iter().map(operation_of).collect();
    calls.extend(of_events(bed, &(&operations() - &called)).await);
    calls
}

/// The calls of these operations in `events/`, for which no other records have to be there.
async fn of_events(bed: &Bed, operations: &BTreeSet<String>) -> Vec<Call> {
    let admin = bed.sound.account("keeper", Role::Admin).await.jwt;
    let device = bed.sound.does(Call::new("POST", "/api/sessions").json(json!({ "identifier": "tablet" }))).await;
    let (client, participant, backend, operator) =
        (bed.sound.client().await, participant("alice"), backend(), operator());
    let values = [
        ("DEVICE_TOKEN", device.body["data"]["token"].as_str().unwrap()),
        ("JWT USER_TOKEN", &admin),
        ("Token API_TOKEN", &client),
        ("Basic VVNFUk5BTUVAbG9jYWxob3N0OlBBU1NXT1JE", &participant),
        ("Basic T1BFTlZJRFVBUFA6TVlfU0VDUkVU", &backend),
        ("Basic STREAMS_CREDENTIALS", &operator),
    ];
    let requests = operations.iter().map(|operation| Request::of_operation(operation, &values).unwrap());
    requests.map(call).collect()
}

fn call(Request { method, path, authorization, body }: Request) -> Call {
    let headers = authorization.map(|authorization| ("authorization", authorization)).into_iter().collect();
    let body = body.map(|body| serde_json::from_str(&body).unwrap());
    Call { method: method.into(), path, headers, body }
}

async fn devices(bed: &Bed) -> Vec<Call> {
    let register = || Call::new("POST", "/api/sessions").json(json!({ "identifier": "phone" }));
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let answer = bed.sound.does(register()).await;
        tokens.push(format!("Bearer {}", answer.body["data"]["token"].as_str().unwrap()));
    }
    vec![
        register(),
        // If the answer was lost, the refresh is repeated with the same token.
        Call::new("POST", "/api/session/refresh").by(&tokens[0]),
        Call::new("DELETE", "/api/session").by(&tokens[1]),
    ]
}

async fn media(bed: &Bed) -> Vec<Call> {
    let by = backend();
    let open = || Call::new("POST", "/api/sessions").by(&by).json(json!({}));
    let [opened, other] = [bed.sound.does(open()).await.body, bed.sound.does(open()).await.body];
    let (id, other) = (opened["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    bed.sound.does(Call::new("POST", "/api/tokens").by(&by).json(json!({ "session": id }))).await;
    let path = format!("/api/sessions/{id}");
    let session = bed.sound.does(Call::new("GET", &path).by(&by)).await;
    let connection = session.body["connections"]["content"][0]["connectionId"].as_str().unwrap();
    vec![
        open(),
        Call::new("GET", &path).by(&by),
        Call::new("POST", "/api/tokens").by(&by).json(json!({ "session": id })),
        Call::new("DELETE", format!("{path}/connection/{connection}")).by(&by),
        // No session here has a stream, so this call never succeeds.
        Call::new("DELETE", format!("{path}/stream/str_CAM_x")).by(&by),
        Call::new("DELETE", format!("/api/sessions/{other}")).by(&by),
    ]
}

async fn openvidu(bed: &Bed) -> Vec<Call> {
    const SESSIONS: &str = "/openvidu/api/sessions";
    let by = backend();
    let open = || Call::new("POST", SESSIONS).by(&by).json(json!({}));
    let [opened, other] = [bed.sound.does(open()).await.body, bed.sound.does(open()).await.body];
    let (id, other) = (opened["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    let connect = || Call::new("POST", format!("{SESSIONS}/{id}/connection")).by(&by).json(json!({}));
    let [kept, gone] = [bed.sound.does(connect()).await.body, bed.sound.does(connect()).await.body];
    let path = |connection: &Value| format!("{SESSIONS}/{id}/connection/{}", connection["id"].as_str().unwrap());
    vec![
        open(),
        connect(),
        Call::new("POST", "/openvidu/api/tokens").by(&by).json(json!({ "session": id })),
        Call::new("POST", "/openvidu/api/signal").by(&by).json(json!({ "session": id })),
        Call::new("GET", format!("{SESSIONS}/{id}")).by(&by),
        Call::new("GET", format!("{SESSIONS}/{id}/connection")).by(&by),
        Call::new("GET", path(&kept)).by(&by),
        Call::new("PATCH", path(&kept)).by(&by).json(json!({ "role": "MODERATOR" })),
        Call::new("DELETE", path(&gone)).by(&by),
        Call::new("DELETE", format!("{SESSIONS}/{id}/stream/str_CAM_x")).by(&by),
        Call::new("DELETE", format!("{SESSIONS}/{other}")).by(&by),
    ]
}

async fn conversations(bed: &Bed) -> Vec<Call> {
    for username in ["alice", "bob", "carol"] {
        bed.sound.participant(username).await;
    }
    let by = participant("alice");
    let config = json!({ "name": "Lobby", "subject": "Talk" });
    bed.sound.does(Call::new("PUT", "/api/rooms/lobby").by(&by).json(config.clone())).await;
    let invitation = |user: &str| Call::new("POST", "/api/rooms/lobby/users").by(&by).json(json!({ "user": user }));
    bed.sound.does(invitation("bob@localhost")).await;
    let add = |jid: &str| Call::new("POST", "/api/contacts").by(&by).json(json!({ "jid": jid }));
    let message = json!({ "to": "bob@localhost", "body": "Hi" });
    vec![
        add("bob@localhost"),
        add("carol@localhost"),
        Call::new("PUT", "/api/contacts/bob@localhost").by(&by).json(json!({ "action": "invite" })),
        Call::new("DELETE", "/api/contacts/bob@localhost").by(&by),
        Call::new("DELETE", "/api/contacts").by(&by).json(json!({ "to_delete": ["carol@localhost"] })),
        Call::new("POST", "/api/messages").by(&by).json(message),
        Call::new("GET", "/api/messages/bob@localhost").by(&by),
        Call::new("PUT", "/api/rooms/parlour").by(&by).json(config.clone()),
        Call::new("GET", "/api/rooms/lobby").by(&by),
        Call::new("PUT", "/api/rooms/lobby/config").by(&by).json(config),
        invitation("carol@localhost"),
        Call::new("POST", "/api/rooms/lobby/messages").by(&by).json(json!({ "body": "Hello" })),
        Call::new("GET", "/api/rooms/lobby/messages").by(&by),
        Call::new("DELETE", "/api/rooms/lobby/users/bob@localhost").by(&by),
        Call::new("GET", "/api/sse").by(&by),
    ]
}

async fn live(bed: &Bed) -> Vec<Call> {
    let admin = bed.sound.account("director", Role::Admin).await.jwt;
    for name in ["one", "two"] {
        assert_eq!(bed.sound.does(webhook("opening", "stream", name)).await.body["allowed"], true);
    }
    let list = bed.sound.does(Call::new("GET", "/api/live").by(&admin)).await;
    let first = list.body["results"].as_array().unwrap().iter().find(|entry| entry["name"] == "one").unwrap();
    let sessions = "/v1/vhosts/default/apps/app/streams/stream/sessions";
    let [stream, name] = NEWCOMER;
    vec![
        webhook("opening", stream, name),
        Call::new("POST", format!("/api/live/{}/terminate", first["id"].as_str().unwrap())).by(&admin),
        Call::new("GET", sessions).by(&operator()),
        Call::new("DELETE", format!("{sessions}/two")).by(&operator()),
        Call::new("POST", format!("/webhooks/opentok?key={CALLBACK_SECRET}")).json(monitoring()),
        room_event(bed),
    ]
}

async fn organisers(bed: &Bed) -> Vec<Call> {
    let by = bed.sound.account("organiser", Role::Admin).await.jwt;
    let (client, v2) = (bed.sound.client().await, |path: &str| format!("/api/v2/{path}"));
    let event = bed.sound.makes("/api/v2/events", &by, json!({ "name": "First" })).await;
    let channel = json!({ "event": event, "language": "English", "languageCode": "en" });
    let [session, _] = [
        bed.sound.makes("/api/v2/sessions", &by, channel.clone()).await,
        bed.sound.makes("/api/v2/sessions", &by, json!({ "event": event, "language": "F", "isFloor": true })).await,
    ];
    let word = json!({ "event": event, "token": "the token", "tokenType": "moderator" });
    let token = bed.sound.makes("/api/v2/logintokens", &by, word.clone()).await;
    let (event, session, token) =
        (v2(&format!("events/{event}")), v2(&format!("sessions/{session}")), v2(&format!("logintokens/{token}")));
    let other = |what: &Value, field: &str| {
        let mut other = what.clone();
        other[field] = json!("another one");
        other
    };
    let new = |path: &str, body: Value| Call::new("POST", v2(path)).by(&by).json(body);
    vec![
        Call::new("POST", v2("rtcsessions")).by(&client).json(json!({ "loginToken": "the token" })),
        Call::new("GET", &event).by(&by),
        Call::new("PUT", &event).by(&by).json(json!({ "name": "Third" })),
        Call::new("PATCH", &event).by(&by).json(json!({ "displayName": "A third" })),
        Call::new("GET", format!("{event}/archives")).by(&by),
        new("sessions", channel.clone()),
        Call::new("GET", &session).by(&by),
        Call::new("PUT", &session).by(&by).json(other(&channel, "language")),
        Call::new("PATCH", &session).by(&by).json(json!({ "language": "Danish" })),
        Call::new("GET", format!("{session}/archives")).by(&by),
        new("logintokens", other(&word, "token")),
        Call::new("GET", &token).by(&by),
        Call::new("PUT", &token).by(&by).json(word),
        Call::new("PATCH", &token).by(&by).json(json!({ "tokenType": "floor" })),
        Call::new("DELETE", token).by(&by),
        Call::new("DELETE", session).by(&by),
        Call::new("DELETE", event).by(&by),
    ]
}

async fn people(bed: &Bed) -> Vec<Call> {
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let dave = bed.sound.participant("dave").await;
    let erin = bed.sound.account("erin", Role::Partner).await;
    let grace = bed.sound.account("grace", Role::Partner).await;
    let (erin, users) = (format!("/api/v2/users/{}", erin.id), "/api/v2/users");
    let user = |username: &str| json!({ "username": username, "role": "partner", "email": "e@greenroom.example" });
    let api_token = bed.sound.makes("/api/v2/apitokens", &admin, json!({ "name": "old" })).await;
    let change = json!({ "oldPw": PASSWORD, "newPw": "another password", "newPwRepeat": "another password" });
    let token = dave.jwt.strip_prefix("JWT ").unwrap();
    vec![
        Call::new("DELETE", format!("/api/v2/apitokens/{api_token}")).by(&admin),
        Call::new("POST", "/api/v2/token-auth/obtain").json(json!({ "username": "dave", "password": PASSWORD })),
        Call::new("POST", "/api/v2/token-auth/refresh").json(json!({ "token": token })),
        Call::new("POST", "/api/v2/token-auth/revoke").by(&grace.jwt),
        Call::new("GET", &erin).by(&admin),
        Call::new("PUT", &erin).by(&admin).json(user("erin")),
        Call::new("PATCH", &erin).by(&admin).json(json!({ "firstName": "Erin" })),
        Call::new("POST", format!("{erin}/password_set")).by(&admin).json(json!({ "newPw": "a first password" })),
        Call::new("POST", format!("{erin}/block")).by(&admin),
        Call::new("POST", format!("{erin}/unblock")).by(&admin),
        Call::new("DELETE", erin).by(&admin),
        Call::new("POST", format!("{users}/{}/password_change", dave.id)).by(&dave.jwt).json(change),
    ]
}
