//! All APIs in this process, on a table in memory whose requests are counted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use aws_sdk_dynamodb::Client;
use axum::{
    Router,
    body::Body,
    http::{Method, Request, header},
};
use greenroom::embedded::Embedded;
use greenroom_core::{
    clock::Clock,
    config::{Config, Setting, Strictness},
    model::{User, user::Role},
};
use greenroom_http::{App, auth::UserClaims};
use greenroom_store::Store;
use http_body_util::BodyExt;
use serde_json::Value;
use testbed::RequestCounter;
use tower::ServiceExt;

use crate::Result;

const TABLE: &str = "costs";
/// How often each request is sent.
pub(crate) const ROUNDS: usize = 201;
/// The access token of the operators of live sessions.
pub(crate) const STREAMS_ACCESS_TOKEN: &str = "access-token";

/// The service, with direct access to its parts.
pub(crate) struct Service {
    pub(crate) app: App,
    router: Router,
    requests: Arc<AtomicUsize>,
}

/// A caller who sends requests.
pub(crate) struct Caller<'a> {
    service: &'a Service,
    authorization: String,
}

/// An answer: its `Link` header and its body.
pub(crate) struct Answer {
    pub(crate) link: Option<String>,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) async fn new() -> Result<Self> {
        let embedded = Embedded::memory()?;
        embedded.create_table(TABLE).await?;
        let counter = RequestCounter::default();
        let requests = counter.0.clone();
        let client = Client::from_conf(embedded.client().config().to_builder().interceptor(counter).build());
        let store = Store::new(client, TABLE);
        let environment = [
            ("TABLE_NAME", TABLE),
            ("OPENVIDU_SECRET", "-"),
            ("SIGNING_KEYS", r#"[{"kid":"1","secret":"x/Ny63SJJFAhRIRsCcGh7U2W0ak4Y0SVhwjvhrVqUgE="}]"#),
            ("OPENTOK_API_KEY", "1"),
            ("OPENTOK_API_SECRET", "-"),
            ("STREAMS_ACCESS_TOKEN", STREAMS_ACCESS_TOKEN),
            ("STREAMS_WEBHOOK_SECRET", "-"),
            ("MAIL_DIR", "mail"),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let app = App::new(
            Config::read_with_mail(&environment, Setting::ALL, Strictness::Local, greenroom_mail::settings)?,
            store,
            Clock::system(),
        );
        Ok(Self { router: greenroom::service(&app), app, requests })
    }

    /// A new user, and their login token.
    pub(crate) async fn user(&self, username: &str) -> Result<(User, String)> {
        let user = User::named(self.app.store.new_id::<User>().await?, username, Role::Partner);
        self.app.store.insert_record(&user).await?.map_err(|_| "the user cannot be made")?;
        let token = self.app.keys.sign_user(&UserClaims::first(&user, self.app.clock.now()));
        Ok((user, token.ok_or("there is no key")?))
    }

    pub(crate) fn caller(&self, authorization: String) -> Caller<'_> {
        Caller { service: self, authorization }
    }
}

impl Caller<'_> {
    /// Sends a request repeatedly, and prints its cost.
    pub(crate) async fn measure(&self, size: u64, what: &str, method: Method, path: &str, body: &str) -> Result<()> {
        self.measure_each(size, what, method, &vec![path.to_owned(); ROUNDS], body).await
    }

    /// Sends a request to each of [`ROUNDS`] paths, and prints the cost of one.
    pub(crate) async fn measure_each(
        &self,
        size: u64,
        what: &str,
        method: Method,
        paths: &[String],
        body: &str,
    ) -> Result<()> {
        let mut times = Vec::new();
        let mut requests = Vec::new();
        for path in paths {
            self.service.requests.store(0, Ordering::SeqCst);
            let start = Instant::now();
            self.send(method.clone(), path, body).await?;
            times.push(start.elapsed());
            requests.push(self.service.requests.load(Ordering::SeqCst));
        }
        times.sort_unstable();
        requests.sort_unstable();
        let (p50, p99) = (times[ROUNDS / 2].as_micros(), times[ROUNDS * 99 / 100].as_micros());
        println!("{size}\t{what}\t{}\t{p50}\t{p99}", requests[ROUNDS / 2]);
        Ok(())
    }

    pub(crate) async fn send(&self, method: Method, path: &str, body: &str) -> Result<Answer> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::AUTHORIZATION, &self.authorization)
            .header(header::CONTENT_TYPE, "application/json");
        let response = self.service.router.clone().oneshot(request.body(Body::from(body.to_owned()))?).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        if !parts.status.is_success() {
            return Err(format!("{path}: {}: {}", parts.status, String::from_utf8_lossy(&body)).into());
        }
        let link = parts.headers.get(header::LINK).and_then(|link| link.to_str().ok()).map(str::to_owned);
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        Ok(Answer { link, body })
    }
}
