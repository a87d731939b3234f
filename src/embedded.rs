//! The embedded DynamoDB of whoever has no cloud: dynoxide over SQLite, reached in-process through the SDK.

use std::path::Path;

use aws_sdk_dynamodb::{
    Client, Config,
    config::{BehaviorVersion, Credentials, Region},
};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use shared::store::Metering;
use tokio::net::TcpListener;

use crate::table::{self, TableError};

/// Why the embedded database does not work.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// It cannot be opened, read or written.
    #[error("the embedded database failed: {0}")]
    Database(#[from] DynoxideError),
    /// The port it was to be reached at failed.
    #[error("the embedded database cannot be served: {0}")]
    Serve(String),
}

/// An embedded DynamoDB.
#[derive(Clone)]
pub struct Embedded {
    database: Database,
    /// A database in a file syncs with every write, for which other requests should not have to wait.
    in_file: bool,
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Embedded")
    }
}

impl Embedded {
    /// The database in this file, made where there is none. What was acknowledged survives the process.
    pub fn open(file: &Path) -> Result<Self, EmbeddedError> {
        Ok(Self { database: Database::new(&file.to_string_lossy())?, in_file: true })
    }

    /// A database in memory.
    pub fn memory() -> Result<Self, EmbeddedError> {
        Ok(Self { database: Database::memory()?, in_file: false })
    }

    /// Makes the table that `template.yaml` declares, unless there is one of this name.
    pub async fn create_table(&self, name: &str) -> Result<(), TableError> {
        table::ensure(&self.client(), name, true).await
    }

    /// Deletes what has expired, as DynamoDB does by itself; returns how many items.
    pub fn sweep(&self) -> Result<usize, EmbeddedError> {
        Ok(self.database.sweep_ttl()?)
    }

    /// A client of it, without a port in between.
    #[must_use]
    pub fn client(&self) -> Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("local"))
            .credentials_provider(Credentials::new("local", "local", None, None, "embedded"))
            .endpoint_url("http://embedded.invalid")
            .interceptor(Metering)
            .http_client(http_client_fn(move |_, _| connector.clone()));
        Client::from_conf(config.build())
    }

    /// Serves it to other tools, with DynamoDB's own protocol, until `stopped`.
    pub async fn listen(
        &self,
        listener: TcpListener,
        stopped: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), EmbeddedError> {
        let served = dynoxide::server::serve_with_shutdown(listener, self.database.clone(), stopped).await;
        served.map_err(EmbeddedError::Serve)
    }

    fn answer(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let database = &self.database;
        match operation {
            "CreateTable" => call(body, |request| database.create_table(request)),
            "DescribeTable" => call(body, |request| database.describe_table(request)),
            "DescribeTimeToLive" => call(body, |request| database.describe_time_to_live(request)),
            "UpdateTimeToLive" => call(body, |request| database.update_time_to_live(request)),
            "PutItem" => call(body, |request| database.put_item(request)),
            "GetItem" => call(body, |request| database.get_item(request)),
            "UpdateItem" => call(body, |request| database.update_item(request)),
            "DeleteItem" => call(body, |request| database.delete_item(request)),
            "BatchGetItem" => call(body, |request| database.batch_get_item(request)),
            "BatchWriteItem" => {
                let answer = call(&as_transaction(body)?, |request| database.transact_write_items(request))?;
                Ok(as_batch(&answer).to_string())
            }
            "Query" => call(body, |request| database.query(request)),
            "Scan" => call(body, |request| database.scan(request)),
            "TransactGetItems" => call(body, |request| database.transact_get_items(request)),
            "TransactWriteItems" => call(&without_token(body), |request| database.transact_write_items(request)),
            other => Err(DynoxideError::ValidationException(format!("{other} is not served in-process"))),
        }
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let embedded = self.clone();
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit_once('.'));
        let operation = target.map(|(_, operation)| operation.to_owned()).unwrap_or_default();
        let body = request.body().bytes().unwrap_or_default().to_vec();
        let in_file = self.in_file;
        let answer = move || embedded.answer(&operation, &body);
        HttpConnectorFuture::new(async move {
            let answer = if in_file {
                let answered = tokio::task::spawn_blocking(answer).await;
                answered.map_err(|error| ConnectorError::other(error.into(), None))?
            } else {
                answer()
            };
            let (status, body) = match answer {
                Ok(body) => (200, body),
                Err(error) => (error.status_code(), error.to_json()),
            };
            let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            Ok(HttpResponse::new(status, SdkBody::from(body)))
        })
    }
}

/// A transaction without the token that makes sending it again harmless. In-process no answer is lost, so none is sent
/// again, and looking through ten minutes' worth of tokens is what would take the database longest.
fn without_token(body: &[u8]) -> Vec<u8> {
    let transaction = serde_json::from_slice::<Map<String, Value>>(body).map(|mut transaction| {
        transaction.remove("ClientRequestToken");
        serde_json::to_vec(&transaction)
    });
    transaction.and_then(|body| body).unwrap_or_else(|_| body.to_vec())
}

/// A batch as one transaction, which is committed and synced once: by itself, the database would do that for each item.
fn as_transaction(body: &[u8]) -> Result<Vec<u8>, DynoxideError> {
    let unreadable = || DynoxideError::SerializationException("the batch cannot be read".to_owned());
    let batch: Value = serde_json::from_slice(body).map_err(|_| unreadable())?;
    let mut writes = Vec::new();
    for (table, requests) in batch["RequestItems"].as_object().ok_or_else(unreadable)? {
        for request in requests.as_array().ok_or_else(unreadable)? {
            writes.push(match request.get("PutRequest") {
                Some(put) => json!({ "Put": { "TableName": table, "Item": put["Item"] } }),
                None => json!({ "Delete": { "TableName": table, "Key": request["DeleteRequest"]["Key"] } }),
            });
        }
    }
    let consumed = batch.get("ReturnConsumedCapacity").unwrap_or(&Value::Null);
    Ok(json!({ "TransactItems": writes, "ReturnConsumedCapacity": consumed }).to_string().into_bytes())
}

/// A transaction's answer as a batch's, which consumes half of what the transaction does.
fn as_batch(answer: &str) -> Value {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    let tables = answer["ConsumedCapacity"].as_array().into_iter().flatten();
    let consumed = tables.map(|of| {
        let units = of["CapacityUnits"].as_f64().unwrap_or_default() / 2.0;
        json!({ "TableName": of["TableName"], "CapacityUnits": units })
    });
    json!({ "UnprocessedItems": {}, "ConsumedCapacity": consumed.collect::<Vec<_>>() })
}

fn call<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    operation: impl FnOnce(Q) -> Result<A, DynoxideError>,
) -> Result<String, DynoxideError> {
    let request =
        serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()));
    let answer = operation(request?)?;
    serde_json::to_string(&answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
