//! HTTP servers that a test plays: a media server, a media provider, a service of AWS.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Bytes,
    http::{Request, StatusCode, request::Parts},
    response::IntoResponse,
};
use tokio::net::TcpListener;

/// Serves these routes on a free loopback port until the runtime ends. Returns the URL, which has no path.
pub async fn serve(routes: Router) -> io::Result<String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    Ok(url)
}

/// The address of a loopback port on which nobody listens, because it was free a moment ago.
pub fn nobody() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A server that records every request, and gives the answers of a test.
#[derive(Clone, Debug)]
pub struct HttpStub {
    url: String,
    received: Arc<Mutex<Vec<Request<Bytes>>>>,
}

impl HttpStub {
    /// A server whose answers this function gives. It serves until the runtime ends.
    pub async fn start<A>(answer: impl Fn(Request<Bytes>) -> A + Clone + Send + Sync + 'static) -> io::Result<Self>
    where
        A: Future<Output: IntoResponse> + Send,
    {
        let received = Arc::<Mutex<Vec<_>>>::default();
        let record = received.clone();
        let routes = Router::new().fallback(async move |head: Parts, body: Bytes| {
            let request = Request::from_parts(head, body);
            record.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
            answer(request).await
        });
        Ok(Self { url: serve(routes).await?, received })
    }

    /// A server that gives these answers, one after the other, and then the last of them again and again.
    pub async fn in_turn<A>(answers: impl IntoIterator<Item = A>) -> io::Result<Self>
    where
        A: IntoResponse + Clone + Send + Sync + 'static,
    {
        let answers: Arc<[A]> = answers.into_iter().collect();
        let next = Arc::new(AtomicUsize::new(0));
        Self::start(move |_| {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let answer = answers.get(number).or(answers.last()).cloned();
            std::future::ready(answer.ok_or(StatusCode::NOT_FOUND))
        })
        .await
    }

    /// The URL of the server, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests since the last call.
    #[must_use]
    pub fn received(&self) -> Vec<Request<Bytes>> {
        std::mem::take(&mut *self.received.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
