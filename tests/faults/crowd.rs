//! Many concurrent requests about one parent, while transactions can conflict. Each transaction holds its items for 8
//! ms.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use greenroom_core::model::user::Role;
use serde_json::{Value, json};

use crate::{
    bed::{AS_DEPLOYED, Bed, Call, Instance},
    table,
};

/// How long a transaction takes.
const HELD: Duration = Duration::from_millis(8);
/// The number of requests in flight at once.
const MAX_CONCURRENT: usize = 32;
/// The number of requests of each test.
const REQUESTS: usize = 128;

/// Sends all requests, this many at once. Fails unless each one is answered with this status.
async fn crowd(instance: &Instance, status: u16, call: impl Fn(usize) -> Call) {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let hands = (0..MAX_CONCURRENT).map(|_| async {
        let mut times = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= REQUESTS {
                return times;
            }
            let (call, begun) = (call(number), Instant::now());
            let answer = instance.send(&call).await;
            assert_eq!(answer.status, status, "{call}: {answer}");
            times.push(begun.elapsed());
        }
    });
    let mut times: Vec<_> = join_all(hands).await.into_iter().flatten().collect();
    times.sort();
    println!(
        "{REQUESTS} in {:?}, half of them in {:?}, all in {:?}",
        begun.elapsed(),
        times[REQUESTS / 2],
        times[REQUESTS - 1]
    );
}

/// The number of records that a list reports.
async fn count(bed: &Bed, path: &str, by: &str) -> Value {
    bed.sound.does(Call::new("GET", path).by(by)).await.body["count"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_create_login_tokens_of_one_event_and_it_can_still_be_deleted() {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let event = bed.sound.makes("/api/v2/events", &admin, json!({ "name": "Congress" })).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.hold(HELD);
    let login_token = |number| {
        let token = json!({ "event": event, "token": format!("login token {number}"), "tokenType": "floor" });
        Call::new("POST", "/api/v2/logintokens").by(&admin).json(token)
    };
    crowd(&instance, 201, login_token).await;
    table::check(&bed.items().await);
    for path in ["/api/v2/logintokens", "/api/v2/logintokens?limit=1", &format!("/api/v2/logintokens?event={event}")] {
        assert_eq!(count(&bed, path, &admin).await, REQUESTS, "{path}");
    }
    let ending = instance.send(&Call::new("DELETE", format!("/api/v2/events/{event}")).by(&admin)).await;
    assert_eq!(ending.status, 204, "{ending}");
    let late = instance.send(&login_token(REQUESTS)).await;
    assert_eq!(late.body, json!({ "event": [format!("Invalid pk \"{event}\" - object does not exist.")] }));
    table::check(&bed.items().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_admin_creates_users_in_concurrent_requests() {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.hold(HELD);
    crowd(&instance, 201, |number| {
        let user = json!({ "username": format!("user-{number}"), "role": "manager" });
        Call::new("POST", "/api/v2/users").by(&admin.jwt).json(user)
    })
    .await;
    table::check(&bed.items().await);
    assert_eq!(count(&bed, "/api/v2/users", &admin.jwt).await, REQUESTS + 1);
    assert_eq!(count(&bed, &format!("/api/v2/users?creator={}", admin.id), &admin.jwt).await, REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_with_one_manager_are_created_in_concurrent_requests() {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let manager = bed.sound.account("manager", Role::Manager).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.hold(HELD);
    crowd(&instance, 201, |number| {
        let event = json!({ "name": format!("event {number}"), "managers": [manager.id] });
        Call::new("POST", "/api/v2/events").by(&admin).json(event)
    })
    .await;
    table::check(&bed.items().await);
    assert_eq!(count(&bed, "/api/v2/events", &manager.jwt).await, REQUESTS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_requests_change_one_event() {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    let event = bed.sound.makes("/api/v2/events", &admin, json!({ "name": "Congress" })).await;
    let instance = bed.instance(AS_DEPLOYED);
    bed.proxy.hold(HELD);
    crowd(&instance, 200, |number| {
        let change = json!({ "displayName": format!("The congress, {number}") });
        Call::new("PATCH", format!("/api/v2/events/{event}")).by(&admin).json(change)
    })
    .await;
    table::check(&bed.items().await);
}
