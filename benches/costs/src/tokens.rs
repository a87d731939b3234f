//! A page of an event's login tokens.

use axum::http::Method;
use greenroom_core::model::{Event, LoginToken, login_token::TokenType};

use crate::{
    Result,
    service::{Caller, Service},
};

const SIZES: [u64; 2] = [10, 100_000];

pub(crate) async fn measure(service: &Service) -> Result<()> {
    let (owner, token) = service.user("owner").await?;
    let caller = service.caller(format!("JWT {token}"));
    for size in SIZES {
        let event = add_event(service, owner.id, size).await?;
        let list = format!("/api/v2/logintokens/?event={event}");
        caller.measure(size, "login tokens: first page", Method::GET, &list, "").await?;
        let half = format!("{list}&offset={}", size / 200);
        if let Some(next) = next(&caller, &half).await? {
            caller.measure(size, "login tokens: page by cursor", Method::GET, &next, "").await?;
        }
    }
    Ok(())
}

/// The path of the page after this one, with its cursor.
async fn next(caller: &Caller<'_>, path: &str) -> Result<Option<String>> {
    let link = caller.send(Method::GET, path, "").await?.link;
    Ok(link.and_then(|link| Some(link.split_once("localhost")?.1.split_once('>')?.0.to_owned())))
}

/// An event with this many login tokens.
async fn add_event(service: &Service, owner: u64, size: u64) -> Result<u64> {
    let store = &service.app.store;
    let event = Event::new(store.new_id::<Event>().await?, format!("event of {size}"), owner);
    store.insert_record(&event).await?.map_err(|_| "the event cannot be made")?;
    for number in 0..size {
        let id = store.new_id::<LoginToken>().await?;
        let token = format!("token-{size}-{number:06}");
        let token = LoginToken { id, event: event.id, token, token_type: TokenType::Participant };
        store.insert_in_event(&token).await?.map_err(|_| "a login token cannot be made")?;
    }
    Ok(event.id)
}
