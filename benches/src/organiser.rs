//! The requests of an organiser before a measurement.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::{
    Result,
    client::{Connection, request},
};

/// Logs the admin in. Returns the `Authorization` header and the number of the admin.
pub(crate) async fn log_in(address: SocketAddr, password: &str) -> Result<(String, Value)> {
    let login = json!({ "username": "admin", "password": password }).to_string();
    let login = request("POST", "/api/v2/token-auth/obtain", "", &login);
    let answer: Value = serde_json::from_slice(Connection::open(address).await?.answer(&login, 200).await?)?;
    let token = format!("authorization: JWT {}\r\n", answer["token"].as_str().ok_or("no token")?);
    let users = request("GET", "/api/v2/users/?username=admin", &token, "");
    let users: Value = serde_json::from_slice(Connection::open(address).await?.answer(&users, 200).await?)?;
    Ok((token, users["results"][0]["id"].clone()))
}

/// Creates a record with a POST; its body.
pub(crate) async fn send(address: SocketAddr, path: &str, token: &str, body: &Value) -> Result<Value> {
    let request = request("POST", path, token, &body.to_string());
    Ok(serde_json::from_slice(Connection::open(address).await?.answer(&request, 201).await?)?)
}
