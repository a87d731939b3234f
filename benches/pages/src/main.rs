//! What a page of an event's login tokens costs, in an event with 10 of them and in one with 100,000: requests to
//! `DynamoDB`, and the time on an embedded one in memory.
//!
//! Prints a line for each page: how many tokens the event has, which page, how many requests, and the median time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use aws_sdk_dynamodb::{
    Client,
    config::{ConfigBag, Intercept, RuntimeComponents, interceptors::BeforeTransmitInterceptorContextRef},
    error::BoxError,
};
use axum::{Router, body::Body, http::Request};
use greenroom::embedded::Embedded;
use http_body_util::BodyExt;
use serde_json::Value;
use shared::{
    App,
    auth::UserClaims,
    clock::Clock,
    config::{Config, Setting, Strictness},
    model::{Event, LoginToken, User, login_token::TokenType, user::Role},
    store::Store,
};
use tower::ServiceExt;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const TABLE: &str = "pages";
const SIZES: [u64; 2] = [10, 100_000];
/// How often each page is read.
const ROUNDS: usize = 51;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let embedded = Embedded::memory()?;
    embedded.create_table(TABLE).await?;
    let counter = Counter::default();
    let requests = counter.0.clone();
    let client = Client::from_conf(embedded.client().config().to_builder().interceptor(counter).build());
    let store = Store::new(client, TABLE);
    let environment = [
        ("TABLE_NAME", TABLE),
        ("OPENVIDU_SECRET", "-"),
        ("SIGNING_KEYS", r#"[{"kid":"1","secret":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="}]"#),
        ("OPENTOK_API_KEY", "1"),
        ("OPENTOK_API_SECRET", "-"),
        ("MAIL_DIR", "mail"),
    ];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    let app = App::new(Config::read(&environment, Setting::ALL, Strictness::Local)?, store, Clock::system());
    let owner = add_owner(&app).await?;
    let token = app.keys.sign_user(&UserClaims::first(&owner, app.clock.now())).ok_or("there is no key")?;
    let pages = Pages { service: greenroom::service(&app), authorization: format!("JWT {token}"), requests };
    for size in SIZES {
        let event = add_event(&app, &owner, size).await?;
        let list = format!("/api/v2/logintokens/?event={event}");
        pages.measure(size, "first", &list).await?;
        let half = format!("{list}&offset={}", size / 200);
        if let Some(next) = pages.next(&half).await? {
            pages.measure(size, "behind the middle, by its cursor", &next).await?;
        }
    }
    Ok(())
}

async fn add_owner(app: &App) -> Result<User> {
    let owner = User {
        id: app.store.new_id::<User>().await?,
        username: "owner".to_owned(),
        email: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        blocked: false,
        role: Role::Partner,
        creator: None,
    };
    app.store.insert_record(&owner).await?.map_err(|_| "the user cannot be made")?;
    Ok(owner)
}

/// An event with this many login tokens.
async fn add_event(app: &App, owner: &User, size: u64) -> Result<u64> {
    let event = Event::new(app.store.new_id::<Event>().await?, format!("event of {size}"), owner.id);
    app.store.insert_record(&event).await?.map_err(|_| "the event cannot be made")?;
    for number in 0..size {
        let id = app.store.new_id::<LoginToken>().await?;
        let token = format!("token-{size}-{number:06}");
        let token = LoginToken { id, event: event.id, token, token_type: TokenType::Participant };
        app.store.insert_in_event(&token).await?.map_err(|_| "a login token cannot be made")?;
    }
    Ok(event.id)
}

/// Somebody who reads pages.
struct Pages {
    service: Router,
    authorization: String,
    requests: Arc<AtomicUsize>,
}

impl Pages {
    async fn measure(&self, size: u64, page: &str, path: &str) -> Result<()> {
        let mut times = Vec::new();
        let mut requests = 0;
        for _ in 0..ROUNDS {
            self.requests.store(0, Ordering::SeqCst);
            let start = Instant::now();
            let (_, body) = self.read(path).await?;
            times.push(start.elapsed());
            requests = self.requests.load(Ordering::SeqCst);
            if body["count"] != size {
                return Err(format!("{path} counts {}", body["count"]).into());
            }
        }
        times.sort();
        println!("{size}\t{page}\t{requests}\t{}", times[ROUNDS / 2].as_micros());
        Ok(())
    }

    /// The path of the page after this one, with its cursor.
    async fn next(&self, path: &str) -> Result<Option<String>> {
        let (link, _) = self.read(path).await?;
        Ok(link.and_then(|link| Some(link.split_once("localhost")?.1.split_once('>')?.0.to_owned())))
    }

    /// A page: its `Link` header and its body.
    async fn read(&self, path: &str) -> Result<(Option<String>, Value)> {
        let request = Request::get(path).header("authorization", &self.authorization).body(Body::empty())?;
        let response = self.service.clone().oneshot(request).await?;
        let link = response.headers().get("link").and_then(|link| link.to_str().ok()).map(str::to_owned);
        let body = response.into_body().collect().await?.to_bytes();
        Ok((link, serde_json::from_slice(&body)?))
    }
}

#[derive(Debug, Default)]
struct Counter(Arc<AtomicUsize>);

impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "request counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> std::result::Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}
