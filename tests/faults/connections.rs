//! How many connections the first request of a new instance opens. Each one costs a handshake at the function's quota.

use greenroom_core::model::user::Role;
use serde_json::json;

use crate::{
    bed::{AS_DEPLOYED, Bed, Call},
    calls,
    contract::operation_of,
};

/// Operations that read several partitions at once (the 16 partitions of one or two lists), or two items in parallel.
const SEVERAL: &[&str] = &[
    "DELETE /api/contacts",
    "DELETE /api/contacts/{jid}",
    "DELETE /api/v2/events/{id}",
    "DELETE /api/v2/sessions/{id}",
    "DELETE /api/v2/users/{id}",
    "GET /api/live",
    "GET /api/sessions",
    "GET /api/v2/events/{id}/archives",
    "GET /openvidu/api/sessions",
    "GET /v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions",
    "POST /api/contacts",
    "POST /api/v2/rtcsessions",
    "PUT /api/contacts/{jid}",
];

#[tokio::test]
async fn the_first_list_of_an_instance_reuses_the_connection_opened_at_its_start() {
    let bed = Bed::with_long_timing().await;
    let admin = bed.sound.account("admin", Role::Admin).await.jwt;
    for number in 1..=3 {
        let event = bed.sound.makes("/api/v2/events", &admin, json!({ "name": format!("event {number}") })).await;
        bed.sound.makes("/api/v2/sessions", &admin, json!({ "event": event, "language": "x" })).await;
        bed.sound.makes("/api/v2/apitokens", &admin, json!({ "name": format!("app {number}") })).await;
        let token = json!({ "event": event, "token": format!("login token {number}"), "tokenType": "floor" });
        bed.sound.makes("/api/v2/logintokens", &admin, token).await;
    }
    for list in ["users", "events", "sessions", "logintokens", "apitokens"] {
        for query in ["", "?offset=1&limit=1", "?nonsense=1"] {
            let before = bed.proxy.connections();
            let instance = bed.instance(AS_DEPLOYED);
            instance.store.prime().await.unwrap();
            instance.does(Call::new("GET", format!("/api/v2/{list}{query}")).by(&admin)).await;
            assert_eq!(bed.proxy.connections() - before, 1, "{list}{query}");
        }
    }
}

#[tokio::test]
async fn the_first_request_of_an_instance_opens_connections_only_for_parallel_reads() {
    let bed = Bed::with_long_timing().await;
    for call in calls::every(&bed).await {
        let before = bed.proxy.connections();
        let instance = bed.instance(AS_DEPLOYED);
        instance.store.prime().await.unwrap();
        instance.send(&call).await;
        let (opened, operation) = (bed.proxy.connections() - before, operation_of(&call));
        assert!(opened == 1 || SEVERAL.contains(&&*operation), "{operation}: {opened}");
    }
}
