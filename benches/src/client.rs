//! A load of HTTP requests, sent with as little work as can be: the sender shares the machine with what it measures.

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

/// What is sent: the path, headers beyond the usual ones, and the body of the request with this number.
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
        let (path, headers, body) = (self.path, &self.headers, (self.body)(number));
        format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             {headers}\r\n{body}",
            body.len()
        )
    }
}

/// One POST, by itself: its body, when its status is 200.
pub(crate) async fn post(address: SocketAddr, load: &Load) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(load.request(0).as_bytes()).await?;
    let mut buffer = Vec::new();
    let body = answer(&mut stream, &mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[body..]).into_owned())
}

/// Sends `requests` of them, numbered from `first`, over all connections together. Returns how long each took, and all.
pub(crate) async fn run(
    address: SocketAddr,
    load: &Arc<Load>,
    first: usize,
    requests: usize,
) -> Result<(Samples, Duration)> {
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        streams.push(stream);
    }
    let begun = Instant::now();
    let mut connections = JoinSet::new();
    for (index, stream) in streams.into_iter().enumerate() {
        let numbers = (first + index..first + requests).step_by(CONNECTIONS);
        connections.spawn(connection(stream, load.clone(), numbers));
    }
    let mut samples = Samples::default();
    while let Some(connection) = connections.join_next().await {
        samples.extend(&connection??);
    }
    Ok((samples, begun.elapsed()))
}

async fn connection(
    mut stream: TcpStream,
    load: Arc<Load>,
    numbers: impl Iterator<Item = usize> + Send,
) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut buffer = Vec::new();
    for number in numbers {
        let request = load.request(number);
        let begun = Instant::now();
        stream.write_all(request.as_bytes()).await?;
        answer(&mut stream, &mut buffer).await?;
        samples.push(begun.elapsed());
    }
    Ok(samples)
}

/// Reads one answer, and where its body begins. A benchmark of refusals would be none: anything but a 200 is an error.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<usize> {
    buffer.clear();
    let body = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read(stream, buffer).await?;
    };
    let head = String::from_utf8_lossy(&buffer[..body]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.ok_or("an answer without Content-Length")?.parse()?;
    while buffer.len() < body + length {
        read(stream, buffer).await?;
    }
    if !head.starts_with("http/1.1 200 ") {
        return Err(String::from_utf8_lossy(buffer).into_owned().into());
    }
    Ok(body)
}

async fn read(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<()> {
    match stream.read_buf(buffer).await? {
        0 => Err("the server closed the connection".into()),
        _ => Ok(()),
    }
}
