//! `/api/contacts`: the contacts in a participant's roster (`docs/apis/mongooseim.md`).

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use greenroom_core::{
    config::Setting,
    model::{
        Contact, Jid,
        contact::{Ask, NotInRoster, Relation, Subscription},
    },
};
use greenroom_http::{
    App,
    auth::Account,
    conversation::{Payload, TakesJson, path_jid},
    dialect::conversation::{BodyRefusals, Error, NotFound, Problem, Refusals},
};
use greenroom_store::{Pair, Store};
use serde::Serialize;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] =
    &[Setting::TableName, Setting::SigningKeys, Setting::XmppDomain, Setting::CorsOrigins, Setting::Log];

/// The largest number of contacts in one deletion.
const DELETIONS_MAX: usize = 500;
/// The number of contacts that are deleted in parallel.
const MAX_CONCURRENT: usize = 16;

greenroom_http::routes!(list_contacts, add_contact, delete_contacts, change_contact, delete_contact);

/// A contact.
#[derive(Serialize, ToSchema)]
#[schema(as = Contact)]
struct Shown {
    /// Their JID.
    jid: Jid,
    /// Which of the two is subscribed to the other.
    subscription: Subscription,
    /// Which of the two has asked for a subscription, and has no answer yet.
    ask: Ask,
}

impl From<Contact> for Shown {
    fn from(contact: Contact) -> Self {
        Self { subscription: contact.subscription(), ask: contact.ask(), jid: contact.jid }
    }
}

/// A contact to add.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct NewContact {
    /// Their JID.
    jid: Jid,
}

/// An action on a contact.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
struct ContactChange {
    /// The action.
    action: Action,
}

/// `invite` asks the contact for a subscription; `accept` grants the one that the contact asked for.
#[derive(Clone, Copy, ToSchema)]
#[schema(as = ContactAction, rename_all = "lowercase")]
enum Action {
    Invite,
    Accept,
}

/// Contacts to delete.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only the document is made of it")]
#[schema(as = ContactDeletions)]
struct Deletions {
    /// Their JIDs.
    #[schema(max_items = 500)]
    to_delete: Vec<Jid>,
}

/// The contacts that could not be deleted.
#[derive(Serialize, ToSchema)]
#[schema(as = ContactsNotDeleted)]
struct NotDeleted {
    /// The JIDs that were no contacts.
    not_deleted: Vec<Jid>,
}

/// List the caller's contacts.
#[utoipa::path(
    get,
    path = "/api/contacts",
    operation_id = "listContacts",
    tag = "Conversations",
    responses((status = 200, description = "The contacts, sorted by JID", body = Vec<Shown>), Refusals),
)]
async fn list_contacts(State(store): State<Store>, account: Account, _: TakesJson) -> Result<Json<Vec<Shown>>, Error> {
    Ok(Json(store.contacts(account.user).await?.into_iter().map(Shown::from).collect()))
}

/// Add a contact.
///
/// An existing contact stays as it is.
#[utoipa::path(
    post,
    path = "/api/contacts",
    operation_id = "addContact",
    tag = "Conversations",
    request_body = NewContact,
    responses((status = 204, description = "The JID is a contact"), Refusals, NotFound, BodyRefusals),
)]
async fn add_contact(
    State(app): State<App>,
    account: Account,
    _: TakesJson,
    payload: Payload,
) -> Result<StatusCode, Error> {
    let contact = payload.fields()?.jid("jid", "JID")?;
    if contact == account.jid {
        return Err(Error::Invalid(Problem::OwnJid));
    }
    let added = contact.clone();
    change(&app, account, contact, |relation| {
        relation.add(added.clone());
        Ok(())
    })
    .await
}

/// Delete several contacts.
#[utoipa::path(
    delete,
    path = "/api/contacts",
    operation_id = "deleteContacts",
    tag = "Conversations",
    request_body = Deletions,
    responses((status = 200, description = "The contacts are deleted; the body lists the JIDs that were no contacts", body = NotDeleted), Refusals, NotFound, BodyRefusals),
)]
async fn delete_contacts(
    State(app): State<App>,
    account: Account,
    _: TakesJson,
    payload: Payload,
) -> Result<Json<NotDeleted>, Error> {
    let contacts = payload.fields()?.jids("to_delete", "list of JIDs", DELETIONS_MAX)?;
    let (app, account) = (&app, &account);
    let deletions = contacts.into_iter().map(|contact| async move {
        match change(app, account.clone(), contact.clone(), Relation::remove).await {
            Ok(_) => Ok(None),
            Err(Error::NotFound) => Ok(Some(contact)),
            Err(error) => Err(error),
        }
    });
    let not_deleted =
        stream::iter(deletions).buffered(MAX_CONCURRENT).try_filter_map(async |jid| Ok(jid)).try_collect();
    Ok(Json(NotDeleted { not_deleted: not_deleted.await? }))
}

/// Invite a contact, or accept the contact's invitation.
#[utoipa::path(
    put,
    path = "/api/contacts/{jid}",
    operation_id = "changeContact",
    tag = "Conversations",
    params(("jid" = Jid, Path, description = "The contact", example = "bob@localhost")),
    request_body = ContactChange,
    responses((status = 204, description = "The contact is invited, or the invitation is accepted"), Refusals, NotFound, BodyRefusals),
)]
async fn change_contact(
    State(app): State<App>,
    account: Account,
    _: TakesJson,
    ContactPath(contact): ContactPath,
    payload: Payload,
) -> Result<StatusCode, Error> {
    let action = match payload.fields()?.text("action", "action")?.as_str() {
        "invite" => Action::Invite,
        "accept" => Action::Accept,
        _ => return Err(Error::Invalid(Problem::UnknownValue("action"))),
    };
    let pair = pair(&app, account, contact).await?;
    let changed = app.store.change_relation(&pair, |relation| match action {
        Action::Invite => Ok(relation.invite(pair.me.clone(), pair.contact_user.is_some())?),
        Action::Accept => Ok(relation.accept()?),
    });
    changed.await.map(|()| StatusCode::NO_CONTENT)
}

/// Delete a contact.
///
/// The subscriptions between the caller and the contact end.
#[utoipa::path(
    delete,
    path = "/api/contacts/{jid}",
    operation_id = "deleteContact",
    tag = "Conversations",
    params(("jid" = Jid, Path, description = "The contact", example = "bob@localhost")),
    responses((status = 204, description = "The JID is no longer a contact"), Refusals, NotFound),
)]
async fn delete_contact(
    State(app): State<App>,
    account: Account,
    _: TakesJson,
    ContactPath(contact): ContactPath,
) -> Result<StatusCode, Error> {
    change(&app, account, contact, Relation::remove).await
}

async fn change(
    app: &App,
    account: Account,
    contact: Jid,
    change: impl Fn(&mut Relation) -> Result<(), NotInRoster>,
) -> Result<StatusCode, Error> {
    let pair = pair(app, account, contact).await?;
    app.store.change_relation(&pair, |relation| Ok::<_, Error>(change(relation)?)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn pair(app: &App, Account { user, jid, .. }: Account, contact: Jid) -> Result<Pair, Error> {
    if contact == jid {
        // A roster never has its owner.
        return Err(Error::NotFound);
    }
    let contact_user = app.account_of(&contact).await?;
    Ok(Pair { me: jid, user, contact, contact_user })
}

/// The JID of the contact that the path names.
struct ContactPath(Jid);

impl FromRequestParts<App> for ContactPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        path_jid(parts, app, "jid").await.map(Self)
    }
}
