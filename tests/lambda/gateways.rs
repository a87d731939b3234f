//! Requests reach a function through every kind of gateway, and its links point back through it.

use std::collections::BTreeMap;

use proptest::{
    prelude::*,
    test_runner::{Config, TestCaseError, TestRunner},
};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::runtime::{Handle, Runtime};

use crate::{
    events::every_request,
    stage::{Fixture, Stage},
};

/// The gateway in front of a function. Each has its own prefix of the paths.
#[derive(Clone, Copy, Debug)]
enum Through {
    /// A REST API, at its own address.
    RestStage,
    /// A REST API, behind the base path of a custom domain.
    RestBasePath,
    /// A REST API with one greedy route, behind a base path.
    RestGreedy,
    /// An HTTP API with payload format 1.0 and a stage of another name than `$default`.
    FirstFormat,
    /// An HTTP API with payload format 2.0 and such a stage.
    NamedStage,
    /// An HTTP API behind the mapping key of a custom domain.
    MappingKey,
}

const ALL: [Through; 6] = [
    Through::RestStage,
    Through::RestBasePath,
    Through::RestGreedy,
    Through::FirstFormat,
    Through::NamedStage,
    Through::MappingKey,
];

impl Through {
    fn prefix(self) -> &'static str {
        match self {
            Self::RestStage | Self::FirstFormat | Self::NamedStage => "/prod",
            Self::RestBasePath => "/v1",
            Self::RestGreedy => "/media/v2",
            Self::MappingKey => "/api",
        }
    }

    /// The event that this gateway would have sent, made from an event of an HTTP API at its root.
    fn event(self, event: &Value) -> Value {
        let outside = format!("{}{}", self.prefix(), event["rawPath"].as_str().unwrap());
        let mut event = event.clone();
        match self {
            Self::NamedStage | Self::MappingKey => {
                event["rawPath"] = outside.as_str().into();
                event["requestContext"]["http"]["path"] = outside.into();
                event["requestContext"]["stage"] = "prod".into();
                return event;
            }
            Self::RestStage | Self::RestBasePath | Self::RestGreedy | Self::FirstFormat => {}
        }
        let own = event["rawPath"].clone();
        let path = if matches!(self, Self::RestStage) { own } else { outside.as_str().into() };
        let route = event["routeKey"].as_str().unwrap().split(' ').next_back().unwrap();
        let resource = match (self, route) {
            // A path without a route of its own has the default route in one kind of API and a greedy route in the
            // other.
            (Self::RestGreedy, _) | (Self::RestStage | Self::RestBasePath, "$default") => "/{proxy+}",
            _ => route,
        };
        let query = event["rawQueryString"].as_str().unwrap_or_default();
        let query: serde_json::Map<_, _> =
            form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (name.into_owned(), json!([value]))).collect();
        let headers = event["headers"].as_object().unwrap();
        let headers: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| (name.clone(), json!([value]))).collect();
        json!({
            "version": "1.0",
            "resource": resource,
            "path": path,
            "httpMethod": event["requestContext"]["http"]["method"],
            "headers": event["headers"],
            "multiValueHeaders": headers,
            "multiValueQueryStringParameters": query,
            "requestContext": {
                "domainName": event["requestContext"]["domainName"],
                "identity": {"sourceIp": "192.0.2.1"},
                "path": outside,
                "stage": "prod",
            },
            "body": event["body"],
            "isBase64Encoded": event["isBase64Encoded"],
        })
    }
}

/// One repeatable event of each function in the second format.
fn one_event_of_each_function() -> impl Iterator<Item = String> {
    let functions: BTreeMap<_, _> = every_request()
        .into_iter()
        .rev()
        .filter(|event| !event.ends_with("-rest"))
        .filter(|event| !["/create", "/delete", "/close"].iter().any(|once| event.contains(once)))
        .map(|event| (event.split_once('/').unwrap().0.to_owned(), event))
        .collect();
    functions.into_values()
}

#[tokio::test]
async fn every_function_is_reached_through_every_gateway() {
    let stage = Stage::new().await;
    let mut wrong = Vec::new();
    let others = ["networktestsessions/create", "fallback/put-events", "fallback/not-found-sse"].map(str::to_owned);
    for event in one_event_of_each_function().chain(others) {
        let (function, _) = event.split_once('/').unwrap();
        let fixture = stage.fixture_of(&event).await;
        let status = stage.send(&event, &fixture).await.status();
        for through in ALL {
            let answer = stage.send_to(function, &through.event(&fixture.event(&event))).await;
            if answer.status() != status {
                wrong.push(format!("{event} through {through:?}: {status} expected, {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn links_point_back_through_the_gateway() {
    let stage = Stage::new().await;
    let fixture = stage.fixture_of("users/list").await;
    for through in ALL {
        let base = format!("https://api-id.execute-api.us-east-1.amazonaws.com{}/api/v2/", through.prefix());
        let root = stage.send_to("api-root", &through.event(&fixture.event("api-root/read"))).await;
        assert_eq!(root.at("/users"), format!("{base}users/"), "{through:?}");
        let mut list = fixture.event("users/list");
        list["rawQueryString"] = "limit=1".into();
        let page = stage.send_to("users", &through.event(&list)).await;
        assert_eq!(page.at("/next"), format!("{base}users/?limit=1&offset=1"), "{through:?}");
        // A path that is not found is answered in the dialect of its API, without the prefix.
        let unknown = stage.send_to("fallback", &through.event(&fixture.event("fallback/not-found-api-v2"))).await;
        assert_eq!(unknown.at("/detail"), "Not found.", "{through:?}");
        let refused = through.event(&fixture.event("create-session/openvidu-without-credentials"));
        assert_eq!(stage.send_to("create-session", &refused).await.at("/path"), "/api/sessions", "{through:?}");
    }
}

#[rstest]
#[case::nothing(&[], "https://api-id.execute-api.us-east-1.amazonaws.com/prod")]
#[case::proto(&[("x-forwarded-proto", "http")], "http://api-id.execute-api.us-east-1.amazonaws.com/prod")]
#[case::capitals(&[("x-forwarded-proto", "HTTPS")], "https://api-id.execute-api.us-east-1.amazonaws.com/prod")]
#[case::protos(&[("x-forwarded-proto", "https,http")], "https://api-id.execute-api.us-east-1.amazonaws.com/prod")]
#[case::usable_protos(
    &[("x-forwarded-proto", "gopher, HTTP")], "http://api-id.execute-api.us-east-1.amazonaws.com/prod"
)]
#[case::host(&[("x-forwarded-host", "media.example:8443")], "https://media.example:8443/prod")]
#[case::unusable_host(
    &[("x-forwarded-host", "user@media.example")], "https://api-id.execute-api.us-east-1.amazonaws.com/prod"
)]
#[case::prefix(&[("x-forwarded-prefix", "/media/")], "https://api-id.execute-api.us-east-1.amazonaws.com/media")]
#[case::unusable_prefix(
    &[("x-forwarded-prefix", "//elsewhere.example")], "https://api-id.execute-api.us-east-1.amazonaws.com/prod"
)]
#[case::odd_host(&[("host", "two words")], "https://localhost/prod")]
#[tokio::test]
async fn forwarded_headers_of_proxies_before_the_gateway_are_used(
    #[case] headers: &[(&str, &str)],
    #[case] base: &str,
) {
    let stage = Stage::new().await;
    let fixture = stage.fixture_of("api-root/read").await;
    let mut event = fixture.event("api-root/read");
    event["headers"].as_object_mut().unwrap().remove("x-forwarded-proto");
    for (name, value) in headers {
        event["headers"][*name] = (*value).into();
    }
    for through in [Through::NamedStage, Through::RestStage] {
        let root = stage.send_to("api-root", &through.event(&event)).await;
        assert_eq!(root.at("/events"), format!("{base}/api/v2/events/"), "{through:?}");
    }
}

#[tokio::test]
async fn a_list_is_filtered_by_unencoded_characters_in_the_query_string() {
    let stage = Stage::new().await;
    let fixture = stage.fixture_of("logintokens/list").await;
    let token = |name: &str| json!({"event": fixture.meeting.event, "token": name, "tokenType": "participant"});
    for name in ["token one", "\"a token\"", "<a token>"] {
        assert_eq!(stage.send_body("logintokens/create", &fixture, &token(name)).await.status(), 201);
        let mut event = fixture.event("logintokens/list");
        event["rawQueryString"] = format!("token={name}").into();
        let found = stage.send_to("logintokens", &event).await;
        assert_eq!((found.status(), found.json()["count"].clone()), (200, json!(1)), "{name}: {found:?}");
    }
}

fn texts() -> impl Strategy<Value = Vec<(String, String)>> {
    let name =
        prop_oneof!["[a-zA-Z0-9-]{1,12}", "host|x-forwarded-(proto|host|prefix|for)|content-type|authorization|accept"];
    proptest::collection::vec((name, any::<String>()), 0..5)
}

/// Any request that a caller could send, in the second format.
fn any_request() -> impl Strategy<Value = Value> {
    let path = prop_oneof![
        any::<String>().prop_map(|path| format!("/{path}")),
        "/(prod/|v1/)?api/(v2|sessions|rooms|v2/users|nothing)[/%a-z0-9.]{0,12}",
    ];
    let method = prop_oneof!["GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE", "[!-~]{1,10}"];
    (method, path, any::<String>(), texts(), proptest::option::of(any::<String>()), any::<bool>()).prop_map(
        |(method, path, query, headers, body, encoded)| {
            let headers: serde_json::Map<_, _> =
                headers.into_iter().map(|(name, value)| (name.to_lowercase(), value.into())).collect();
            json!({
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": path,
                "rawQueryString": query,
                "cookies": [query],
                "headers": headers,
                "requestContext": {
                    "domainName": "media.example", "stage": "$default",
                    "http": {"method": method, "path": path, "sourceIp": "192.0.2.1"},
                },
                "body": body,
                "isBase64Encoded": encoded,
            })
        },
    )
}

/// Every event that a gateway can send gets an answer, and none is a server error.
#[test]
fn any_request_is_answered_without_a_server_error() {
    let runtime = Runtime::new().unwrap();
    let _entered = runtime.enter();
    let stage = runtime.block_on(Stage::new());
    let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
    let functions = prop::sample::select(vec!["fallback", "create-session", "token-auth"]);
    let through = prop_oneof![Just(None), prop::sample::select(ALL.to_vec()).prop_map(Some)];
    let outcome = runner.run(&(functions, through, any_request()), |(function, through, event)| {
        let event = through.map_or_else(|| event.clone(), |through| through.event(&event));
        let answer = Handle::current().block_on(async { stage.function(function).await.invoke(&event).await });
        let status = answer.as_ref().ok().and_then(|answer| answer["statusCode"].as_u64()).unwrap_or_default();
        if (200..500).contains(&status) { Ok(()) } else { Err(TestCaseError::fail(format!("{function}: {answer:?}"))) }
    });
    outcome.unwrap();
}

#[tokio::test]
async fn a_body_that_is_not_base64_is_malformed() {
    let (stage, fixture) = (Stage::new().await, Fixture::default());
    let mut event = fixture.event("create-session/device-base64");
    event["body"] = "{ä".into();
    let answer = stage.send_to("create-session", &event).await;
    assert_eq!((answer.status(), answer.at("/error/code").as_str()), (400, "invalid_json"));
}
