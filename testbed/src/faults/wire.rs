//! The part of HTTP/1.1 that the SDK and a store use, byte by byte. A proxy that cuts connections has to own them.

use std::io;

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

/// A request to the store.
pub(super) struct Request {
    /// The operation's name, for example `PutItem`.
    pub(super) operation: String,
    /// The headers that are passed on to the store.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// Whether it writes one item. It can conflict with a transaction on that item then.
    pub(super) fn writes_one(&self) -> bool {
        matches!(&*self.operation, "PutItem" | "UpdateItem" | "DeleteItem")
    }

    /// Whether it writes anything.
    pub(super) fn writes(&self) -> bool {
        self.writes_one() || matches!(&*self.operation, "TransactWriteItems" | "BatchWriteItem")
    }
}

/// An answer of the store.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// An error in the form of `DynamoDB`.
    pub(super) fn error(status: u16, code: &str, more: &serde_json::Value) -> Self {
        let mut body = serde_json::json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
            "message": "a fault was injected",
        });
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        Self { status, content_type: "application/x-amz-json-1.0".to_owned(), body: body.to_string().into_bytes() }
    }

    fn head(&self) -> String {
        let Self { status, content_type, body } = self;
        format!("HTTP/1.1 {status} -\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n", body.len())
    }
}

/// A connection of a service that uses this proxy as its store.
pub(super) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self(BufReader::new(stream))
    }

    /// The next request; `None` once the service is done.
    pub(super) async fn request(&mut self) -> io::Result<Option<Request>> {
        let mut first = String::new();
        if self.0.read_line(&mut first).await? == 0 {
            return Ok(None);
        }
        let (mut length, mut operation, mut headers) = (0, String::new(), Vec::new());
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            match &*name {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                // These headers belong to this connection, not to the next one.
                "host" | "connection" => {}
                _ => {
                    if name == "x-amz-target" {
                        value.rsplit('.').next().unwrap_or_default().clone_into(&mut operation);
                    }
                    headers.push((name, value));
                }
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Some(Request { operation, headers, body }))
    }

    pub(super) async fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let stream = self.0.get_mut();
        stream.write_all(answer.head().as_bytes()).await?;
        stream.write_all(&answer.body).await
    }

    /// Sends the first half of an answer, and resets the connection.
    pub(super) async fn cut_off(mut self, answer: &Answer) -> io::Result<()> {
        let stream = self.0.get_mut();
        stream.write_all(answer.head().as_bytes()).await?;
        stream.write_all(&answer.body[..answer.body.len() / 2]).await?;
        self.reset()
    }

    /// Ends the connection with a reset: the client sees an error instead of an end.
    pub(super) fn reset(self) -> io::Result<()> {
        self.0.into_inner().set_zero_linger()
    }

    /// Says nothing until the service gives up.
    pub(super) async fn stay_silent(mut self) -> io::Result<()> {
        tokio::io::copy(&mut self.0, &mut tokio::io::sink()).await.map(drop)
    }
}
