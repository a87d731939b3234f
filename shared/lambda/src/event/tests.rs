use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn table() -> RouteTable {
    RouteTable::from_paths(|| json!({"/api/v2/users": {"get": null}, "/api/v2/users/{id}": {"get": null}}))
}

fn request(event: &Value) -> Request {
    let event: Event = serde_json::from_str(&event.to_string()).unwrap();
    event.into_request(&table()).unwrap()
}

fn request_of_text(event: &str) -> Request {
    serde_json::from_str::<Event>(event).unwrap().into_request(&table()).unwrap()
}

/// A request with this query string, in payload format 2.0.
fn with_query(query: &str) -> Request {
    let http = json!({"method": "GET"});
    request(&json!({"rawPath": "/api/v2/users", "rawQueryString": query, "requestContext": {"http": http}}))
}

#[test]
fn a_query_string_that_is_none_is_escaped() {
    for (query, escaped) in [
        ("token=a b", "token=a%20b"),
        ("token=\"x\"", "token=%22x%22"),
        ("token=<x>", "token=%3Cx%3E"),
        ("token=ä%C3%A4", "token=%C3%A4%C3%A4"),
        ("token=#\u{7f}\n", "token=%23%7F%0A"),
        ("?a=1?b", "?a=1?b"),
    ] {
        assert_eq!(with_query(query).uri().query(), Some(escaped), "{query}");
    }
    assert_eq!(with_query("").uri().query(), None);
}

#[test]
fn several_values_stand_before_one() {
    let event = json!({
        "httpMethod": "GET",
        "path": "/api/v2/users",
        "headers": {"Accept": "b", "X-One": "1", "Bad name": "x", "x-bad": "a\nb", "x-null": null},
        "multiValueHeaders": {"Accept": ["a", "b"]},
        "queryStringParameters": {"role": "b c", "only": null},
        "multiValueQueryStringParameters": {"role": ["a", "b c"], "only": null},
    });
    let request = request(&event);
    let accepts: Vec<_> =
        request.headers().get_all("accept").into_iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!((accepts, request.headers().len()), (vec!["a", "b"], 3));
    assert_eq!(request.uri().query(), Some("role=a&role=b+c"));
}

#[test]
fn halves_of_characters_are_taken_for_replacement_characters() {
    let event = r#"{"httpMethod": "GET", "path": "/api/v2/users", "headers": {"host": "a"},
        "queryStringParameters": {"name\ud800": "\udfffx"}, "stageVariables": {"\ud800": "\ud800"}, "body": "\ud83d"}"#;
    assert_eq!(
        request_of_text(event).uri().query(),
        Some("name%EF%BF%BD%EF%BF%BD%EF%BF%BD=%EF%BF%BD%EF%BF%BD%EF%BF%BDx")
    );
}

#[test]
fn what_no_request_has_is_no_request() {
    for event in
        [json!({}), json!({"requestContext": {"http": {}}}), json!({"httpMethod": ""}), json!({"source": "aws.events"})]
    {
        let event: Event = serde_json::from_value(event).unwrap();
        assert!(event.into_request(&table()).is_none());
    }
}

#[test]
fn a_long_path_is_nobodys() {
    let path = format!("/api/v2/users/{}", "<".repeat(30_000));
    assert_eq!(request(&json!({"httpMethod": "GET", "path": path})).uri().path(), "/");
}

fn texts() -> impl Strategy<Value = Option<Vec<(String, String)>>> {
    proptest::option::of(proptest::collection::vec((any::<String>(), any::<String>()), 0..4))
}

fn map(pairs: Option<&[(String, String)]>, value: fn(&str) -> Value) -> Value {
    let map = |pairs: &[(String, String)]| pairs.iter().map(|(name, text)| (name.clone(), value(text))).collect();
    pairs.map_or(Value::Null, |pairs| Value::Object(map(pairs)))
}

proptest! {
    /// Every event that gateways can send becomes a request to the path that it names.
    #[test]
    fn whatever_comes_is_a_request(
        method in "[^\\x00]{1,12}",
        path in any::<String>(),
        query in any::<String>(),
        headers in texts(),
        parameters in texts(),
        body in proptest::option::of(any::<String>()),
        is_base64_encoded in any::<bool>(),
        first_format in any::<bool>(),
    ) {
        let path = format!("/{path}");
        let one = |pairs: &Option<Vec<(String, String)>>| map(pairs.as_deref(), |value| json!(value));
        let several = |pairs: &Option<Vec<(String, String)>>| map(pairs.as_deref(), |value| json!([value, value]));
        let event = if first_format {
            json!({
                "httpMethod": method, "path": path, "resource": query,
                "headers": one(&headers), "multiValueHeaders": several(&headers),
                "queryStringParameters": one(&parameters), "multiValueQueryStringParameters": several(&parameters),
                "requestContext": {"path": format!("/prod{path}"), "domainName": query, "identity": {"sourceIp": query}},
                "body": body, "isBase64Encoded": is_base64_encoded,
            })
        } else {
            json!({
                "rawPath": path, "rawQueryString": query, "routeKey": query, "headers": one(&headers),
                "cookies": [query], "queryStringParameters": one(&parameters),
                "requestContext": {"domainName": query, "http": {"method": method, "path": path, "sourceIp": query}},
                "body": body, "isBase64Encoded": is_base64_encoded,
            })
        };
        let request = request(&event);
        let escaped = utf8_percent_encode(&path, PATH).to_string();
        prop_assert!(escaped.ends_with(request.uri().path()), "{} of {escaped}", request.uri());
    }
}
