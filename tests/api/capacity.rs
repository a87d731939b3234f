//! What each route consumes of the table, compared with the budget: the table in `docs/cost.md`.
//!
//! `UPDATE_COST=1 cargo test --workspace --test api capacity` writes the measured values into the document, with the
//! numbers that are derived from them.

mod clients;
mod conversation;
mod devices;
mod document;
mod event;
mod limits;
mod livekit;
mod money;
mod organisers;
mod others;
mod records;
mod rules;
mod streams;
mod work;

use std::{collections::BTreeSet, sync::LazyLock, thread};

use axum::body::Body;
use greenroom::api;
use greenroom_core::config::Setting;
use greenroom_http::Reported;
use greenroom_telemetry::{
    meter::Usage,
    metrics::{FALLBACK, HOUSEKEEPING},
};
use testbed::{
    LIVEKIT_KEY, LIVEKIT_SECRET,
    rights::{Use, seen_on_this_thread},
};
use tokio::runtime;

use crate::support::{Answer, TestApp};

/// A request, and what it consumes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    route: String,
    case: String,
    requests: u64,
    /// How many of its requests were repeated.
    retries: u64,
    reads: f64,
    writes: f64,
}

/// The measured rows.
#[derive(Default)]
struct Rows(Vec<Row>);

impl Rows {
    /// Notes what a request consumed. The request has to succeed.
    fn note(&mut self, case: &str, answer: Answer) -> Answer {
        let status = answer.status;
        assert!(status.is_success(), "{case}: {answer}");
        self.note_any(case, answer)
    }

    /// Notes what a request consumed, with any answer.
    fn note_any(&mut self, case: &str, answer: Answer) -> Answer {
        let Reported { route, usage } = &answer.reported;
        self.add(route, case, *usage);
        answer
    }

    fn add(&mut self, route: &str, case: &str, usage: Usage) {
        let Usage { read_units: reads, write_units: writes, requests, retries, .. } = usage;
        let requests = requests - retries;
        let (route, case) = (route.to_owned(), case.to_owned());
        self.0.push(Row { route, case, requests, retries, reads, writes });
    }
}

/// A LiveKit server that is away.
pub(crate) const LIVEKIT: [(Setting, &str); 3] = [
    (Setting::LivekitUrl, "https://127.0.0.1:1"),
    (Setting::LivekitApiKey, LIVEKIT_KEY),
    (Setting::LivekitApiSecret, LIVEKIT_SECRET),
];

/// An instance that recorded the uses of its credentials within the last hour, as most instances have.
async fn instance() -> TestApp {
    instance_with([]).await
}

/// The same with these settings.
async fn instance_with(settings: impl IntoIterator<Item = (Setting, &'static str)>) -> TestApp {
    let app = TestApp::with(LIVEKIT.into_iter().chain(settings)).await;
    write_down_uses(&app).await;
    app
}

async fn write_down_uses(app: &TestApp) {
    for setting in [
        Setting::OpenviduSecret,
        Setting::SigningKeys,
        Setting::StreamsAccessToken,
        Setting::StreamsWebhookSecret,
        Setting::OpentokWebhookSecret,
        Setting::LivekitApiSecret,
    ] {
        app.shared.last_used.mark(setting, 0);
    }
    app.shared.last_used.write_down(&app.store, app.clock.now()).await;
}

/// Every route of the API document, and the work that no request asks for.
fn routes() -> BTreeSet<String> {
    let (_, document) = api();
    let routes = greenroom::routes(&document).into_iter();
    let routes = routes.map(|(method, path)| format!("{} {path}", method.to_uppercase()));
    routes.chain([HOUSEKEEPING.to_owned()]).collect()
}

/// What every route consumes of the table, and the rights that it uses there.
pub(crate) struct Measured {
    rows: Vec<Row>,
    /// The rights of functions that the requests used.
    pub(crate) used: BTreeSet<Use>,
}

/// The measurement. Several tests read it, and it takes as long as hundreds of other tests. So its parts run at the same
/// time, each on a thread of its own, which knows the rights that were used on it.
pub(crate) static MEASURED: LazyLock<Measured> = LazyLock::new(|| {
    let parts = thread::scope(|scope| {
        let parts = [
            scope.spawn(|| {
                measured(Rows::default(), async |rows| {
                    devices::measure(rows).await;
                    organisers::measure(rows).await;
                    records::measure(rows).await;
                })
            }),
            scope.spawn(|| {
                measured(Rows::default(), async |rows| {
                    clients::measure(rows).await;
                    livekit::measure(rows).await;
                    streams::measure(rows).await;
                })
            }),
            scope.spawn(|| {
                measured(Rows::default(), async |rows| {
                    conversation::measure(rows).await;
                    Box::pin(work::measure(rows)).await;
                })
            }),
        ];
        parts.map(|part| part.join().unwrap())
    });
    let (mut rows, mut used) = (Rows::default(), BTreeSet::new());
    for part in parts {
        rows.0.extend(part.rows);
        used.extend(part.used);
    }
    let mut all = thread::scope(|scope| scope.spawn(|| measured(rows, others::measure)).join().unwrap());
    all.used.extend(used);
    all
});

/// These rows, and those that are measured on this thread.
fn measured(mut rows: Rows, measure: impl AsyncFnOnce(&mut Rows)) -> Measured {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&mut rows));
    Measured { rows: rows.0, used: seen_on_this_thread() }
}

#[tokio::test]
async fn requests_that_no_route_matches_are_reported_under_one_name() {
    let app = TestApp::new().await;
    let caller = app.anyone();
    for (method, path, route) in [
        ("GET", "/api/session/", "GET /api/session"),
        ("GET", "/api/sessions/daily", "GET /api/sessions/{sessionId}"),
        ("GET", "/nobody/knows", FALLBACK),
        ("PATCH", "/api/session", FALLBACK),
        ("HEAD", "/api/session", FALLBACK),
        ("X-METHOD", "/api/session", FALLBACK),
    ] {
        let answer = caller.begin(caller.request(method, path, &[], Body::empty())).await;
        let reported: &Reported = answer.extensions().get().unwrap();
        assert_eq!(reported.route, route, "{method} {path}");
    }
}

#[test]
fn no_route_consumes_more_than_its_budget_or_less() {
    let measured = &MEASURED.rows;
    let of: BTreeSet<_> = measured.iter().map(|row| row.route.clone()).collect();
    assert_eq!(of, routes(), "every route has a row, every row a route");
    document::check(measured);
}
