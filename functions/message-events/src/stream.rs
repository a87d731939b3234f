//! The stream: a body that looks at the table for as long as somebody reads it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use greenroom_core::{
    clock::Timestamp,
    model::{Notice, Position},
};
use greenroom_http::App;
use greenroom_store::{Feed, StoreError};
use greenroom_telemetry::{
    meter::{Meter, Usage},
    metrics::Line,
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};

/// The media type of the answer.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// The name of the route in the stream's metrics and log.
const ROUTE: &str = "GET /api/sse";
/// How long before a deadline a stream ends, so that the client can reconnect in time.
const BEFORE_DEADLINE: Duration = Duration::from_secs(10);
/// The first line: after how many milliseconds a client reconnects.
const RETRY: &str = "retry: 1000\n";
/// Has nginx pass on data at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The events of a feed.
pub(crate) struct EventStream {
    app: App,
    feed: Feed,
    greeting: Option<&'static str>,
    polls: Interval,
    keep_alive: Instant,
    end: Option<Instant>,
    /// Whether the last read of the table failed.
    failing: bool,
    log: Log,
    meter: Arc<Meter>,
}

impl EventStream {
    /// A stream of this feed. It ends before the deadline.
    pub(crate) fn new(app: App, feed: Feed, deadline: Option<Timestamp>) -> Self {
        let mut polls = interval(app.config.timing.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        let left = deadline.map(|deadline| deadline.since(app.clock.now()).saturating_sub(BEFORE_DEADLINE));
        let meter = Meter::beside();
        let log = Log { app: app.clone(), meter: meter.clone(), since: now, events: 0 };
        Self {
            feed,
            greeting: Some(RETRY),
            polls,
            keep_alive: now + app.config.timing.keep_alive,
            end: left.map(|left| now + left),
            failing: false,
            log,
            meter,
            app,
        }
    }

    /// The next part of the body; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let sent = match self.greeting.take() {
            Some(greeting) => format!("{greeting}{}", comment(self.feed.position())),
            None => self.wait().await?,
        };
        self.keep_alive = Instant::now() + self.app.config.timing.keep_alive;
        Some(sent.into())
    }

    async fn wait(&mut self) -> Option<String> {
        loop {
            let end = self.end;
            tokio::select! {
                biased;
                () = until(end) => return None,
                _ = self.polls.tick() => {}
                () = sleep_until(self.keep_alive) => return Some(comment(self.feed.position())),
            }
            let news = self.poll().await?;
            if !news.is_empty() {
                return Some(news);
            }
        }
    }

    /// The news as they are sent. `None` if the account's credential is no longer accepted. While the table cannot be
    /// read, there are none.
    async fn poll(&mut self) -> Option<String> {
        let look = self.app.store.news(&mut self.feed, self.app.clock.now());
        let news = self.meter.clone().scope(look).await;
        let Some(news) = self.read(news) else { return Some(String::new()) };
        let news = news?;
        if !news.all {
            self.polls.reset_immediately();
        }
        self.log.events += news.notices.len();
        Some(news.notices.iter().map(|(notice, position)| event(notice, position)).collect())
    }

    /// The result of a read. A failure is logged once, and the next poll tries again.
    fn read<T>(&mut self, outcome: Result<T, StoreError>) -> Option<T> {
        let failed = outcome.as_ref().err();
        if let Some(cause) = failed.filter(|_| !self.failing) {
            self.meter.in_scope(|| tracing::warn!(%cause, "an event stream cannot read the table"));
        }
        self.failing = failed.is_some();
        outcome.ok()
    }
}

async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// A comment with the position. A client that reads comments can go on from there before an event has told it one.
///
/// No empty line follows, because clients over `fetch` take everything that ends in one for an event, and find it
/// without data.
fn comment(position: &Position) -> String {
    format!(": keep-alive {}\n", position.encode())
}

fn event(notice: &Notice, position: &Position) -> String {
    // The JSON of strings and numbers never fails, and is one line.
    let data = serde_json::to_string(notice).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", position.encode(), notice.kind())
}

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let frames = stream::unfold(self, async |mut stream| {
            let sent = stream.next().await?;
            Some((Ok::<_, Infallible>(sent), stream))
        });
        ([(header::CONTENT_TYPE, EVENT_STREAM), UNBUFFERED], Body::from_stream(frames)).into_response()
    }
}

/// Logs the end of a stream, which came too late for the line of its request.
struct Log {
    app: App,
    meter: Arc<Meter>,
    since: Instant,
    events: usize,
}

impl Drop for Log {
    fn drop(&mut self) {
        let (open, events, usage) = (self.since.elapsed(), self.events, self.meter.usage());
        self.meter.in_scope(|| {
            let Some(metrics) = &self.app.config.metrics else {
                let (seconds, Usage { read_units, requests, .. }) = (open.as_secs(), usage);
                tracing::info!(seconds, events, read_units, table_requests = requests, "event stream ended");
                return;
            };
            Line::of_stream(ROUTE, open, events, usage).print(metrics, self.app.clock.now());
        });
    }
}
