//! A client that sends many HTTP requests with as little work as possible, because it shares the machine with the
//! server.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

use crate::{Result, samples::Samples};

/// Connections that are open at the same time, each with one request in flight.
pub(crate) const CONNECTIONS: usize = 32;

/// The requests: their path, additional headers, and the body of each request by its number.
pub(crate) struct Load {
    /// The request's path.
    pub(crate) path: &'static str,
    /// Header lines, each ended by `\r\n`.
    pub(crate) headers: String,
    /// The body of each request, by its number.
    pub(crate) body: Box<dyn Fn(usize) -> String + Send + Sync>,
}

impl Load {
    fn request(&self, number: usize) -> String {
        request("POST", self.path, &self.headers, &(self.body)(number))
    }
}

/// A request's text. Every line of `headers` ends with `\r\n`.
#[must_use]
pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         {headers}\r\n{body}",
        body.len()
    )
}

/// Sends one POST. Returns its body; any status but 200 is an error.
pub(crate) async fn post(address: SocketAddr, load: &Load) -> Result<String> {
    let body = Connection::open(address).await?.answer(&load.request(0), 200).await?.to_vec();
    Ok(String::from_utf8(body)?)
}

/// Sends `requests` requests, numbered from `first`, over all connections together. Returns the time of each, and of
/// all.
pub(crate) async fn run(
    address: SocketAddr,
    load: &Arc<Load>,
    first: usize,
    requests: usize,
) -> Result<(Samples, Duration)> {
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        open.push(Connection::open(address).await?);
    }
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for (index, connection) in open.into_iter().enumerate() {
        let numbers = (first + index..first + requests).step_by(CONNECTIONS);
        connections.spawn(send(connection, load.clone(), numbers));
    }
    let mut samples = Samples::default();
    while let Some(connection) = connections.join_next().await {
        samples.extend(&connection??);
    }
    Ok((samples, begun.elapsed()))
}

async fn send(
    mut connection: Connection,
    load: Arc<Load>,
    numbers: impl Iterator<Item = usize> + Send,
) -> Result<Samples> {
    let mut samples = Samples::default();
    for number in numbers {
        let request = load.request(number);
        let begun = Instant::now();
        connection.answer(&request, 200).await?;
        samples.push(begun.elapsed());
    }
    Ok(samples)
}

/// A connection that is kept alive, with at most one request in flight.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends a request and reads the body of its answer. Any other status is an error, so that no refusals are
    /// measured.
    pub(crate) async fn answer(&mut self, request: &str, status: u16) -> Result<&[u8]> {
        self.stream.write_all(request.as_bytes()).await?;
        self.buffer.clear();
        let body = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..body]).to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = match length {
            Some(length) => length.parse()?,
            None if status == 204 => 0,
            None => return Err("an answer without Content-Length".into()),
        };
        while self.buffer.len() < body + length {
            self.read().await?;
        }
        if !head.starts_with(&format!("http/1.1 {status} ")) {
            return Err(String::from_utf8_lossy(&self.buffer).into_owned().into());
        }
        Ok(&self.buffer[body..])
    }

    async fn read(&mut self) -> Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }
}
