//! The table of all subjects, filled so that every function has something to answer.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::TempDir;
use testbed::ACCESS_KEY_ID;

use crate::{
    Result, build,
    client::{Connection, request},
    cold::proxy::Proxy,
    fixture::{ACCOUNTS, Fixture, settings, text},
    server::{Kept, Server},
};

const TABLE: &str = "cold-start";
/// The origin of the preflight in the events.
const ORIGIN: &str = "https://app.greenroom.test";

/// A DynamoDB in the memory of another process, with TLS in front of it, and the APIs on it.
pub(crate) struct Store {
    pub(crate) proxy: Proxy,
    database: SocketAddr,
    pub(crate) gateway: SocketAddr,
    mails: TempDir,
    _server: Kept,
}

impl Store {
    pub(crate) async fn start() -> Result<Self> {
        let mails = TempDir::new()?;
        let mut variables = settings();
        variables.extend(ACCOUNTS);
        variables.extend([("TABLE_NAME", TABLE), ("LOG", "warn"), ("LOCAL_DYNAMODB_KEY", ACCESS_KEY_ID)]);
        let arguments = ["serve", "--port", "0", "--memory", "--dynamodb-port", "0"];
        let mut server = Server::start(&build::release("greenroom")?, &arguments, &variables)?;
        let gateway = server.address("listening on").await?;
        let database = server.address("DynamoDB").await?;
        Ok(Self { proxy: Proxy::start(database).await?, database, gateway, mails, _server: server.keep() })
    }

    /// The environment of every function and every peer. Their secrets are in it.
    pub(crate) fn environment(&self) -> Result<Vec<(String, String)>> {
        let url = self.proxy.url();
        let others = [
            ("TABLE_NAME", TABLE),
            ("AWS_ENDPOINT_URL_DYNAMODB", url.as_str()),
            ("CORS_ORIGINS", ORIGIN),
            ("LOG", "info"),
            ("MAIL_DIR", self.mails.path().to_str().ok_or("a path that is no text")?),
        ];
        let all = settings().into_iter().chain(others);
        Ok(all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// The key that hashes the identifiers of devices, read from the table.
    pub(crate) async fn device_key(&self) -> Result<String> {
        let item = self.item("SETTINGS", "SETTINGS").await?;
        Ok(text(&item["deviceKey"]["S"])?.to_owned())
    }

    /// An item in the table.
    pub(crate) async fn item(&self, pk: &str, sk: &str) -> Result<Value> {
        let key = json!({"TableName": TABLE, "Key": {"PK": {"S": pk}, "SK": {"S": sk}}, "ConsistentRead": true});
        // Only the form of the header is checked.
        let headers = format!(
            "x-amz-target: DynamoDB_20120810.GetItem\r\nx-amz-date: 20260101T000000Z\r\n\
             authorization: AWS4-HMAC-SHA256 Credential={ACCESS_KEY_ID}/20260101/us-east-1/dynamodb/aws4_request, \
             SignedHeaders=host, Signature=0\r\n"
        );
        let mut connection = Connection::open(self.database).await?;
        let answer = connection.answer(&request("POST", "/", &headers, &key.to_string()), 200).await?;
        Ok(serde_json::from_slice::<Value>(answer)?["Item"].take())
    }

    /// Fills the table so that every function has something to answer.
    pub(crate) async fn fixture(&self) -> Result<Fixture> {
        Fixture::of(self.gateway).await
    }
}
