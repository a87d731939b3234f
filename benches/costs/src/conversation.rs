//! Messages, and rooms of several sizes.

use axum::http::Method;
use base64::{Engine, prelude::BASE64_STANDARD};
use greenroom_core::{
    id::MessageId,
    model::{Jid, Message, User},
};
use serde_json::json;

use crate::{
    Result,
    service::{Caller, Service},
};

const ARCHIVES: [u64; 2] = [10, 100_000];
const ROOMS: [u64; 2] = [3, 300];

pub(crate) async fn measure(service: &Service) -> Result<()> {
    let mut receivers = Vec::new();
    for size in ARCHIVES {
        let (user, _) = service.user(&format!("receiver-{size}")).await?;
        let (sender, token) = service.user(&format!("sender-{size}")).await?;
        let caller = participant(service, &sender, &token);
        fill(service, &sender, &user, size).await?;
        let with = format!("/api/messages/{}@localhost", user.username);
        caller.measure(size, "messages: newest page", Method::GET, "/api/messages", "").await?;
        caller.measure(size, "messages: newest page of one partner", Method::GET, &with, "").await?;
        receivers.push((caller, user, size));
    }
    for (caller, user, size) in receivers {
        let message = json!({ "to": format!("{}@localhost", user.username), "body": "Hello!" }).to_string();
        caller.measure(size, "messages: sending one", Method::POST, "/api/messages", &message).await?;
    }
    let (owner, token) = service.user("room-owner").await?;
    let caller = participant(service, &owner, &token);
    for size in ROOMS {
        let room = room(&caller, size).await?;
        let path = format!("/api/rooms/{room}/messages");
        caller.measure(size, "room: sending a message", Method::POST, &path, r#"{"body":"Hello!"}"#).await?;
        caller.measure(size, "room: newest page", Method::GET, &path, "").await?;
    }
    Ok(())
}

/// A participant with a login token as password, so that no password is hashed.
fn participant<'a>(service: &'a Service, user: &User, token: &str) -> Caller<'a> {
    let credentials = BASE64_STANDARD.encode(format!("{}@localhost:{token}", user.username));
    service.caller(format!("Basic {credentials}"))
}

/// Sends this many messages from one user to another.
async fn fill(service: &Service, sender: &User, receiver: &User, size: u64) -> Result<()> {
    let jid = |user: &User| Jid::of(&user.username, "localhost").ok_or("a user has no JID");
    let mut message = Message {
        from: jid(sender)?,
        to: jid(receiver)?,
        id: MessageId::random(),
        body: "Hello!".to_owned(),
        timestamp: service.app.clock.now(),
    };
    for _ in 0..size {
        message = Message { id: MessageId::random(), timestamp: message.timestamp.next(), ..message };
        message = service.app.store.insert_message(message, sender.id, Some(receiver.id), &service.app.clock).await?;
    }
    Ok(())
}

/// A room with this many participants.
async fn room(caller: &Caller<'_>, size: u64) -> Result<String> {
    let made = caller.send(Method::POST, "/api/rooms", r#"{"name":"Room","subject":"Costs"}"#).await?;
    let room = made.body["id"].as_str().ok_or("the room has no id")?.to_owned();
    for number in 1..size {
        let invitee = json!({ "user": format!("member-{number}@localhost") }).to_string();
        caller.send(Method::POST, &format!("/api/rooms/{room}/users"), &invitee).await?;
    }
    Ok(room)
}
