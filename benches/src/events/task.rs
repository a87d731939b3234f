//! The measured requests of an organiser and of a participant.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    Result,
    client::{Connection, request},
};

use crate::events::{ADMIN_PASSWORD, API_TOKEN, LOGIN_TOKENS};

/// One action of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// An organiser logs in.
    Obtain,
    /// An organiser lists the events.
    List,
    /// A participant joins.
    Enter,
    /// All actions, one after the other.
    Flow,
}

impl Task {
    /// All tasks.
    pub(crate) const ALL: &[Self] = &[Self::Obtain, Self::List, Self::Enter, Self::Flow];

    /// The name in reports.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Obtain => "obtain",
            Self::List => "events",
            Self::Enter => "rtcsessions",
            Self::Flow => "flow of the three",
        }
    }

    /// Performs it for the time with this number.
    pub(crate) async fn perform(self, connection: &mut Connection, jwt: &str, number: usize) -> Result<()> {
        match self {
            Self::Obtain => obtain(connection).await.map(drop),
            Self::List => list(connection, jwt).await.map(drop),
            Self::Enter => enter(connection, &scattered(number)).await.map(drop),
            Self::Flow => {
                let jwt = token(obtain(connection).await?)?;
                list(connection, &jwt).await?;
                enter(connection, &scattered(number)).await.map(drop)
            }
        }
    }
}

/// Logs the user `admin` in.
pub(crate) async fn obtain_jwt(address: SocketAddr) -> Result<String> {
    token(obtain(&mut Connection::open(address).await?).await?)
}

/// The body of a list of events.
pub(crate) async fn list<'c>(connection: &'c mut Connection, jwt: &str) -> Result<&'c [u8]> {
    let authorization = format!("authorization: JWT {jwt}\r\n");
    connection.answer(&request("GET", "/api/v2/events/", &authorization, ""), 200).await
}

/// The body of the answer to a participant with this login token.
pub(crate) async fn enter<'c>(connection: &'c mut Connection, login_token: &str) -> Result<&'c [u8]> {
    let authorization = format!("authorization: Token {API_TOKEN}\r\n");
    let body = json!({"loginToken": login_token}).to_string();
    connection.answer(&request("POST", "/api/v2/rtcsessions/", &authorization, &body), 201).await
}

async fn obtain(connection: &mut Connection) -> Result<&[u8]> {
    let body = json!({"username": "admin", "password": ADMIN_PASSWORD}).to_string();
    connection.answer(&request("POST", "/api/v2/token-auth/obtain/", "", &body), 200).await
}

fn token(body: &[u8]) -> Result<String> {
    let body: Value = serde_json::from_slice(body)?;
    Ok(body["token"].as_str().ok_or("no token was obtained")?.to_owned())
}

/// The name of the login token with this number.
#[must_use]
pub(crate) fn login_token(number: usize) -> String {
    format!("token-{number:06}")
}

/// One of the login tokens, in the same pseudo-random order on both sides.
fn scattered(number: usize) -> String {
    // A step by the golden ratio of the range comes near every token about equally often.
    login_token((number.wrapping_mul(0x9E37_79B9) >> 12) % LOGIN_TOKENS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scattered_numbers_use_nearly_all_login_tokens() {
        let used: std::collections::HashSet<String> = (0..10_000).map(scattered).collect();
        assert!(used.len() > LOGIN_TOKENS * 9 / 10, "{}", used.len());
    }
}
