//! The stream itself: a body that looks at the table for as long as somebody reads it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use shared::{
    App,
    clock::Timestamp,
    id::RequestId,
    meter::{Meter, Usage},
    metrics::Line,
    model::{Notice, Position},
    store::{Feed, StoreError},
};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, sleep_until};
use tracing::Span;

/// What is answered.
pub(crate) const EVENT_STREAM: &str = "text/event-stream";
/// What the stream's metrics and log call it.
const ROUTE: &str = "GET /api/sse";
/// How often the table is looked at: a message is told within a second.
const POLL: Duration = Duration::from_millis(500);
/// After how long without an event something is sent all the same, so that nobody in between closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long before a deadline a stream ends, so that the client comes back in time.
const BEFORE_DEADLINE: Duration = Duration::from_secs(10);
/// The first thing sent: after how many milliseconds a client comes back.
const RETRY: &str = "retry: 1000\n";
/// Has nginx pass on what it gets at once.
const UNBUFFERED: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// The events of a feed.
pub(crate) struct EventStream {
    app: App,
    feed: Feed,
    greeting: Option<&'static str>,
    polls: Interval,
    keep_alive: Instant,
    end: Option<Instant>,
    /// Whether the table could not be read last time.
    failing: bool,
    log: Log,
    meter: Arc<Meter>,
}

impl EventStream {
    /// The stream of this feed, which ends before the deadline.
    pub(crate) fn new(app: App, feed: Feed, id: Option<RequestId>, deadline: Option<Timestamp>) -> Self {
        let mut polls = interval(POLL);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let now = Instant::now();
        let left = deadline.map(|deadline| deadline.since(app.clock.now()).saturating_sub(BEFORE_DEADLINE));
        let meter = Meter::beside();
        let log = Log { app: app.clone(), id, meter: meter.clone(), span: Span::current(), since: now, events: 0 };
        Self {
            app,
            feed,
            greeting: Some(RETRY),
            polls,
            keep_alive: now + KEEP_ALIVE,
            end: left.map(|left| now + left),
            failing: false,
            log,
            meter,
        }
    }

    /// What is sent next; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let sent = match self.greeting.take() {
            Some(greeting) => format!("{greeting}{}", comment(self.feed.position())),
            None => self.wait().await?,
        };
        self.keep_alive = Instant::now() + KEEP_ALIVE;
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

    /// What happened, as it is sent; `None` where the account is not let in any more. While the table cannot be read,
    /// nothing is told of it.
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

    /// What was read. That something could not be is logged once, and tried again with the next poll.
    fn read<T>(&mut self, outcome: Result<T, StoreError>) -> Option<T> {
        let failed = outcome.as_ref().err();
        if let Some(cause) = failed.filter(|_| !self.failing) {
            self.log.span.in_scope(|| tracing::warn!(%cause, "an event stream cannot read the table"));
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

/// A comment, with the position for who wants to come back with it before an event has told them one.
///
/// No empty line follows: clients over `fetch` take whatever ends in one for an event, and find it without data.
fn comment(position: &Position) -> String {
    format!(": keep-alive {}\n", position.encode())
}

fn event(notice: &Notice, position: &Position) -> String {
    // Strings and numbers have a JSON form, which is one line.
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

/// Says when a stream has ended, which the line of its request could not.
struct Log {
    app: App,
    id: Option<RequestId>,
    meter: Arc<Meter>,
    span: Span,
    since: Instant,
    events: usize,
}

impl Drop for Log {
    fn drop(&mut self) {
        let (open, usage) = (self.since.elapsed(), self.meter.usage());
        match &self.app.config.metrics {
            Some(metrics) => {
                let line = Line::of_stream(ROUTE, open, self.events, usage);
                self.id.iter().fold(line, Line::of).print(metrics, self.app.clock.now());
            }
            None => self.span.in_scope(|| {
                let (seconds, Usage { read_units, requests, .. }) = (open.as_secs(), usage);
                let events = self.events;
                tracing::info!(seconds, events, read_units, table_requests = requests, "event stream ended");
            }),
        }
    }
}
