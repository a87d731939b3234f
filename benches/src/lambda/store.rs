//! The table of the measured functions.

use std::net::SocketAddr;

use testbed::ACCESS_KEY_ID;

use crate::{
    Result, build,
    fixture::{ACCOUNTS, Fixture, settings},
    server::{Kept, Server},
};

/// A DynamoDB in the memory of another process, or the one that `GREENROOM_TEST_DYNAMODB` names.
pub(crate) struct Store {
    endpoint: String,
    table: String,
    gateway: SocketAddr,
    _server: Kept,
}

impl Store {
    /// The gateway serves its own database, or creates the table in the other one.
    pub(crate) async fn start() -> Result<Self> {
        let table = format!("benchmark-{}", std::process::id());
        let mut variables = settings();
        variables.extend(ACCOUNTS);
        variables.extend([("TABLE_NAME", table.as_str()), ("LOG", "warn")]);
        let external = std::env::var_os("GREENROOM_TEST_DYNAMODB").map(std::ffi::OsString::into_string).transpose();
        let external = external.map_err(|_| "GREENROOM_TEST_DYNAMODB is not a URL")?;
        let data = build::target_directory()?.join("bench").join("data");
        let data = data.to_str().ok_or("the target directory's name is no text")?;
        let mut arguments = vec!["serve", "--port", "0"];
        if let Some(endpoint) = &external {
            variables.push(("AWS_ENDPOINT_URL_DYNAMODB", endpoint));
            arguments.extend(["--data-dir", data]);
        } else {
            variables.push(("LOCAL_DYNAMODB_KEY", ACCESS_KEY_ID));
            arguments.extend(["--memory", "--dynamodb-port", "0"]);
        }
        let mut server = Server::start(&build::release("greenroom")?, &arguments, &variables)?;
        let gateway = server.address("listening on").await?;
        let endpoint = match external {
            Some(endpoint) => endpoint,
            None => format!("http://{}", server.address("DynamoDB").await?),
        };
        Ok(Self { endpoint, table, gateway, _server: server.keep() })
    }

    /// The environment of a function.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        // The log and the metrics are as the template sets them.
        let others = [
            ("TABLE_NAME", self.table.as_str()),
            ("AWS_ENDPOINT_URL_DYNAMODB", &self.endpoint),
            ("LOG", "info"),
            ("STACK_NAME", "benchmark"),
            ("METRICS", "route"),
        ];
        let all = settings().into_iter().chain(others);
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Fills the table so that every function has something to answer.
    pub(crate) async fn fixture(&self) -> Result<Fixture> {
        Fixture::of(self.gateway).await
    }
}
