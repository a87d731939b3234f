//! `/api/messages`: messages from one participant to another (`docs/apis/mongooseim.md`).

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use greenroom_core::{
    config::Setting,
    id::MessageId,
    model::{Jid, Message},
};
use greenroom_http::{
    App,
    auth::Account,
    conversation::{PageQuery, Payload, TakesJson, path_jid},
    dialect::conversation::{BodyRefusals, Error, Invalid, NotFound, Refusals},
};
use greenroom_store::Store;
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::XmppDomain, Setting::CorsOrigins, Setting::Log];

greenroom_http::routes!(send_message, list_messages, list_messages_with);

/// A message to be sent.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewMessage {
    /// The receiver.
    to: Jid,
    /// Any text, of at most 65,536 bytes.
    #[schema(max_length = 65_536, example = "Hello Alice!")]
    body: String,
}

/// The id of a message that was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = SentMessage)]
struct Sent {
    /// Its id.
    id: MessageId,
}

/// Send a message.
#[utoipa::path(
    post,
    path = "/api/messages",
    operation_id = "sendMessage",
    tag = "Conversations",
    request_body = NewMessage,
    responses((status = 200, description = "The message is sent", body = Sent), Refusals, BodyRefusals),
)]
async fn send_message(
    State(app): State<App>,
    account: Account,
    _: TakesJson,
    payload: Payload,
) -> Result<Json<Sent>, Error> {
    let fields = payload.fields()?;
    let (to, body) = (fields.jid("to", "message recipient")?, fields.message_body()?);
    let receiver = app.account_of(&to).await?;
    let message = Message { from: account.jid, to, id: MessageId::random(), body, timestamp: app.clock.now() };
    let message = app.store.insert_message(message, account.user, receiver, &app.clock).await?;
    Ok(Json(Sent { id: message.id }))
}

/// Read the caller's newest messages with all partners.
///
/// The answer lists the oldest of these messages first.
#[utoipa::path(
    get,
    path = "/api/messages",
    operation_id = "listMessages",
    tag = "Conversations",
    params(
        ("limit" = Option<u64>, Query, minimum = 0, maximum = 2_147_483_647_u64, description = "The number of messages, 50 by default and 500 at most", example = 50),
        ("before" = Option<u64>, Query, minimum = 0, maximum = 4_102_444_800_000_u64, description = "Only messages from before this time, in milliseconds since the Unix epoch", example = 1_795_344_000_000_u64),
    ),
    responses((status = 200, description = "The messages", body = Vec<Message>), Refusals, Invalid),
)]
async fn list_messages(
    State(store): State<Store>,
    account: Account,
    _: TakesJson,
    query: PageQuery,
) -> Result<Json<Vec<Message>>, Error> {
    Ok(Json(store.messages(account.user, None, query.window()?).await?))
}

/// Read the caller's newest messages with one partner.
///
/// The answer lists the oldest of these messages first.
#[utoipa::path(
    get,
    path = "/api/messages/{with}",
    operation_id = "listMessagesWith",
    tag = "Conversations",
    params(
        ("with" = Jid, Path, description = "The partner", example = "bob@localhost"),
        ("limit" = Option<u64>, Query, minimum = 0, maximum = 2_147_483_647_u64, description = "The number of messages, 50 by default and 500 at most", example = 50),
        ("before" = Option<u64>, Query, minimum = 0, maximum = 4_102_444_800_000_u64, description = "Only messages from before this time, in milliseconds since the Unix epoch", example = 1_795_344_000_000_u64),
    ),
    responses((status = 200, description = "The messages", body = Vec<Message>), Refusals, Invalid, NotFound),
)]
async fn list_messages_with(
    State(store): State<Store>,
    account: Account,
    _: TakesJson,
    Partner(partner): Partner,
    query: PageQuery,
) -> Result<Json<Vec<Message>>, Error> {
    Ok(Json(store.messages(account.user, Some(&partner), query.window()?).await?))
}

/// The partner that the path names.
struct Partner(Jid);

impl FromRequestParts<App> for Partner {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        path_jid(parts, app, "with").await.map(Self)
    }
}
