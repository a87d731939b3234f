//! The gateway's connections: one that has no client left is given up soon, also while it carries a stream of events.

use std::{future::Future, time::Duration};

use axum::{
    body::Body,
    extract::{Request, State},
    http::header,
    middleware::Next,
    response::Response,
    serve::{ListenerExt, TapIo},
};
use futures_util::StreamExt;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// How long what was sent may stay unacknowledged. A stream sends something every 15 seconds, so that one without a
/// client is given up within 25.
const UNACKNOWLEDGED: Duration = Duration::from_secs(10);
const EVENT_STREAM: &str = "text/event-stream";

/// A listener whose connections are set up for streams of events.
pub(super) fn attentive(listener: TcpListener) -> TapIo<TcpListener, fn(&mut TcpStream)> {
    listener.tap_io(|stream| {
        if let Err(error) = set_up(stream) {
            tracing::warn!(%error, "a connection cannot be set up");
        }
    })
}

fn set_up(stream: &TcpStream) -> std::io::Result<()> {
    // An event is not to wait until the last one is acknowledged.
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

/// Ends streams of events when the server is told to stop; any other answer is finished.
pub(super) async fn end_streams(State(stop): State<Stop>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != EVENT_STREAM) {
        return response;
    }
    response.map(|body| Body::from_stream(body.into_data_stream().take_until(stop.told())))
}

/// Whether the server was told to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop(pub(super) watch::Receiver<()>);

impl Stop {
    /// Waits until it is.
    pub(super) fn told(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stop = self.0.clone();
        async move {
            // An error means that the sender is gone, and with it the server.
            let _ = stop.changed().await;
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use axum::serve::Listener;

    use super::*;

    #[tokio::test]
    async fn what_no_client_acknowledges_ends_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut listener = attentive(listener);
        let (_client, (stream, _)) = tokio::join!(TcpStream::connect(address), listener.accept());
        assert_eq!(socket2::SockRef::from(&stream).tcp_user_timeout().unwrap(), Some(UNACKNOWLEDGED));
        assert!(stream.nodelay().unwrap());
    }
}
