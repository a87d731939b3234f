//! The gateway's connections: their number, and how long one may keep the server waiting. A connection without a client
//! is given up soon, even one that carries a stream of events.

use std::{convert::Infallible, future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::header,
    middleware::Next,
    response::Response,
};
use futures_util::StreamExt;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::sleep,
};
use tower::ServiceExt;

/// The largest number of connections that are served at once (`docs/apis/access.md`). Further ones wait until one has
/// ended.
pub(super) const CONNECTIONS_MAX: usize = 4096;
/// The timeout for the head of a request, or for its first byte after the last answer (`docs/apis/access.md`).
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long sent data may stay unacknowledged. A stream sends something every 15 seconds, so one without a client is
/// given up within 25.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
/// How long to wait if the system has no more connections to give.
const EXHAUSTED: Duration = Duration::from_secs(1);
const EVENT_STREAM: &str = "text/event-stream";

/// Serves at most `places` connections until the server is told to stop, and then finishes the requests in flight.
/// Dropping the future ends them.
pub(super) async fn serve(listener: TcpListener, service: Router, stop: Stop, places: usize) {
    let (places, mut connections) = (Arc::new(Semaphore::new(places)), JoinSet::new());
    let told = stop.told();
    tokio::pin!(told);
    loop {
        tokio::select! {
            (stream, address, place) = accept(&listener, &places) => {
                if let Err(error) = set_up(&stream) {
                    tracing::warn!(%error, "a connection cannot be set up");
                }
                let carried = carry(stream, address, service.clone(), stop.clone(), HEAD_TIMEOUT);
                connections.spawn(async move {
                    carried.await;
                    drop(place);
                });
            }
            // A connection that has ended is dropped from the set.
            Some(_) = connections.join_next() => {}
            () = &mut told => break,
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Accepts the next connection, when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // This fails only if the semaphore is closed, which nothing does.
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address, place),
            // The client had gone before its connection was accepted.
            Err(error) if is_of_a_connection(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be taken for now");
                sleep(EXHAUSTED).await;
            }
        }
    }
}

fn is_of_a_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves one connection to its end. If the server is told to stop, it ends with the next answer.
async fn carry(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    address: SocketAddr,
    service: Router,
    stop: Stop,
    head_timeout: Duration,
) {
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(address));
        let answer = service.clone().oneshot(request);
        async move { Ok::<_, Infallible>(answer.await.unwrap_or_else(|never| match never {})) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head_timeout);
    let connection = http.serve_connection(TokioIo::new(stream), answer);
    tokio::pin!(connection);
    // An error is the client's: it has gone, does not speak HTTP, or took too long.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.told() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

fn set_up(stream: &TcpStream) -> io::Result<()> {
    // Without this, an event would wait until the last one is acknowledged.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// Ends streams of events when the server is told to stop. Other answers are finished.
pub(super) async fn end_streams(State(stop): State<Stop>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != EVENT_STREAM) {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop.told())))
}

/// The signal that the server was told to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop(pub(super) watch::Receiver<()>);

impl Stop {
    /// Waits until the server is told to stop.
    pub(super) fn told(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.0.clone();
        async move {
            // An error means that the sender is gone, and the server with it.
            let _ = stop.changed().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time::timeout,
    };

    use super::*;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    fn hello() -> Router {
        Router::new().route("/", get(|| async { "hello" }))
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut answer = vec![0; 1024];
        let read = stream.read(&mut answer).await.unwrap();
        String::from_utf8(answer[..read].to_vec()).unwrap()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_no_client_acknowledges_ends_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (stream, _) = accepted.unwrap();
        set_up(&stream).unwrap();
        assert_eq!(socket2::SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_head_that_does_not_end_ends_the_connection() {
        for begun in [&b""[..], b"G", b"GET / HTTP/1.1\r\nhost: x\r\n"] {
            let (_stop, stopped) = watch::channel(());
            let (mut client, server) = duplex(1024);
            client.write_all(begun).await.unwrap();
            let address = SocketAddr::from(([127, 0, 0, 1], 1));
            let carried = carry(server, address, hello(), Stop(stopped), Duration::from_millis(40));
            // One byte after the other does not extend the time.
            let sending = async {
                while !begun.is_empty() && client.write_all(b"x").await.is_ok() {
                    sleep(Duration::from_millis(10)).await;
                }
                client
            };
            timeout(Duration::from_mins(1), async { tokio::join!(carried, sending) }).await.unwrap();
        }
    }

    #[tokio::test]
    async fn who_finds_no_place_is_served_when_another_has_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(());
        let server = tokio::spawn(serve(listener, hello(), Stop(stopped), 1));
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut first).await.ends_with("hello"));
        let mut second = TcpStream::connect(address).await.unwrap();
        second.write_all(REQUEST).await.unwrap();
        // A later request on the first connection is answered.
        first.write_all(REQUEST).await.unwrap();
        assert!(answer(&mut first).await.ends_with("hello"));
        assert_eq!(second.try_read(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(first);
        assert!(answer(&mut second).await.ends_with("hello"));
        stop.send(()).unwrap();
        server.await.unwrap();
        assert_eq!(answer(&mut second).await, "");
    }
}
