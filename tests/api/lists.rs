//! Lists of `/api/v2`: pages, links, cursors and what each role sees.

use axum::body::Body;
use greenroom_core::{
    config::Setting,
    model::{LoginToken, login_token::TokenType, user::Role},
};
use rstest::rstest;
use serde_json::json;

use crate::support::{Answer, Caller, TestApp};

impl TestApp {
    /// Creates this many login tokens for an event, `<name> 000001` and so on; their numbers.
    pub(crate) async fn login_tokens(&self, event: u64, name: &str, count: usize) -> Vec<u64> {
        let mut ids = Vec::new();
        for index in 1..=count {
            let id = self.store.new_id::<LoginToken>().await.unwrap();
            let token = format!("{name} {index:06}");
            let token = LoginToken { id, event, token, token_type: TokenType::Participant };
            self.store.insert_record(&token).await.unwrap().unwrap();
            ids.push(id);
        }
        ids
    }
}

impl Answer {
    /// The numbers of the listed records.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.body["results"].as_array().unwrap().iter().map(|record| record["id"].as_u64().unwrap()).collect()
    }

    /// Path and query of the `Link` header to the next page.
    pub(crate) fn following(&self) -> Option<String> {
        let link = self.headers.get("link")?.to_str().unwrap();
        let url = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap();
        Some(url.strip_prefix("http://greenroom.example").unwrap().to_owned())
    }
}

/// The numbers on all pages from this one on, read by their cursors.
pub(crate) async fn follow(caller: &Caller<'_>, path: &str) -> Vec<u64> {
    let (mut path, mut ids) = (Some(path.to_owned()), Vec::new());
    while let Some(next) = path {
        let answer = caller.get(&next).await;
        ids.extend(answer.ids());
        path = answer.following();
    }
    ids
}

const TOKENS: &str = "/api/v2/logintokens/";

#[tokio::test]
async fn limit_is_the_size_of_a_page_and_offset_counts_pages() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    app.login_tokens(event, "token", 250).await;
    for (query, ids) in [
        ("", 1..101),
        ("limit=50&offset=2", 101..151),
        ("limit=100&offset=2", 201..251),
        // A page past the end is empty.
        ("limit=50&offset=5", 1..1),
        ("limit=50&offset=99999999999999999999", 1..1),
        ("limit=1000", 1..251),
        ("limit=99999999999999999999999", 1..251),
        // Values that are not numbers are ignored.
        ("limit=x&offset=-1", 1..101),
        ("limit=0&offset=1.5", 1..101),
        ("limit=&offset=", 1..101),
        ("limit=1&limit=3", 1..4),
    ] {
        for path in [format!("{TOKENS}?{query}"), format!("{TOKENS}?event={event}&{query}")] {
            let answer = caller.get(&path).await;
            assert_eq!((answer.status.as_u16(), &answer.body["count"]), (200, &json!(250)), "{path}");
            assert_eq!(answer.ids(), ids.clone().collect::<Vec<_>>(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_page_never_has_more_than_a_thousand() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let ids = app.login_tokens(event, "token", 1_005).await;
    for path in [format!("{TOKENS}?limit=5000"), format!("{TOKENS}?limit=1001&event={event}")] {
        let answer = caller.get(&path).await;
        assert_eq!(answer.ids(), ids[..1000]);
        assert!(answer.body["next"].as_str().unwrap().ends_with("limit=1000&offset=1"));
        assert_eq!(follow(&caller, &path).await, ids);
    }
}

#[tokio::test]
async fn an_envelope_has_four_keys_and_links_step_one_page() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    app.login_tokens(event, "token", 7).await;
    let url = "http://greenroom.example/api/v2/logintokens/?event=1&tokenType=participant&x=a+%26b";
    let links = |query: &str| {
        let (caller, path) = (&caller, format!("{TOKENS}?x=a%20%26b&tokenType=participant&event=1{query}"));
        async move {
            let answer = caller.get(&path).await;
            let keys: Vec<_> = answer.body.as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys, ["count", "next", "previous", "results"]);
            ["next", "previous"].map(|link| answer.body[link].as_str().map(str::to_owned))
        }
    };
    assert_eq!(links("&limit=3").await, [Some(format!("{url}&limit=3&offset=1")), None]);
    let [next, previous] = links("&limit=3&offset=1").await;
    assert_eq!([next, previous], [Some(format!("{url}&limit=3&offset=2")), Some(format!("{url}&limit=3"))]);
    assert_eq!(links("&limit=3&offset=2").await, [None, Some(format!("{url}&limit=3&offset=1"))]);
    assert_eq!(links("&limit=7").await, [None, None]);
    assert_eq!(links("&limit=7&offset=4").await, [None, Some(format!("{url}&limit=7&offset=3"))]);
    let empty = caller.get("/api/v2/sessions").await;
    assert_eq!(empty.to_string(), r#"200 {"count":0,"next":null,"previous":null,"results":[]}"#);
    assert_eq!(empty.header("link"), "-");
}

#[rstest]
#[case::host(&[], "http://greenroom.example")]
#[case::scheme(&[("x-forwarded-proto", "https")], "https://greenroom.example")]
#[case::first_proxy(&[("x-forwarded-proto", "https, http")], "https://greenroom.example")]
#[case::capitals(&[("x-forwarded-proto", "HTTPS")], "https://greenroom.example")]
#[case::first_valid_scheme(&[("x-forwarded-proto", "quic, https")], "https://greenroom.example")]
#[case::not_a_host(&[("x-forwarded-host", "two words")], "http://greenroom.example")]
#[case::not_a_port(&[("x-forwarded-host", "api.example:x")], "http://greenroom.example")]
#[case::first_valid_host(&[("x-forwarded-host", "u@api.example, api.example")], "http://api.example")]
#[case::forwarded_host(&[("x-forwarded-host", "api.example:8443")], "http://api.example:8443")]
#[case::prefix(&[("x-forwarded-prefix", "/prod/")], "http://greenroom.example/prod")]
#[case::nonsense(
    &[("x-forwarded-proto", "javascript"), ("x-forwarded-prefix", "//evil.example")], "http://greenroom.example",
)]
#[tokio::test]
async fn links_are_absolute(#[case] headers: &[(&str, &str)], #[case] base: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for name in ["A", "B"] {
        app.organiser(&admin).make_event(name).await;
    }
    let public = app.again_with([(Setting::PublicUrl, "https://public.example")]);
    for (app, base) in [(&app, base), (&public, "https://public.example")] {
        let answer = app.organiser(&admin).send("GET", "/api/v2/events?limit=1", headers, Body::empty()).await;
        assert_eq!(answer.body["next"], format!("{base}/api/v2/events/?limit=1&offset=1"));
        let link = format!("<{base}/api/v2/events/?limit=1&offset=1&cursor=");
        assert!(answer.header("link").starts_with(&link), "{}", answer.header("link"));
    }
}

#[rstest]
#[case::all("?limit=3")]
#[case::of_an_event("?limit=3&event=1")]
#[case::filtered("?limit=3&event=1&tokenType=participant")]
#[case::exactly_a_page("?limit=10")]
#[tokio::test]
async fn following_the_cursor_visits_each_record_once_despite_deletions(#[case] query: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let ids = app.login_tokens(event, "token", 20).await;
    let path = format!("{TOKENS}{query}");
    assert_eq!(follow(&caller, &path).await, ids);
    let (mut next, mut seen) = (Some(path), Vec::new());
    while let Some(path) = next {
        let answer = caller.get(&path).await;
        for id in answer.ids() {
            assert_eq!(caller.delete(&format!("{TOKENS}{id}/")).await.status, 204);
        }
        seen.extend(answer.ids());
        next = answer.following();
    }
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_cursor_outlives_its_record_and_also_visits_later_records() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let caller = app.organiser(&admin);
    let event = caller.make_event("A").await;
    let ids = app.login_tokens(event, "early", 4).await;
    let next = caller.get(&format!("{TOKENS}?event={event}&limit=2")).await.following().unwrap();
    for id in &ids[1..3] {
        caller.delete(&format!("{TOKENS}{id}/")).await;
    }
    let late = app.login_tokens(event, "late", 3).await;
    assert_eq!(follow(&caller, &next).await, [&ids[3..], &late[..]].concat());
}

#[rstest]
#[case("")]
#[case("x")]
#[case("AAAAAAAAAAMAAAAAAAAAAAAAAAAAAAAA")]
#[case("%00%ff")]
#[case("3")]
#[tokio::test]
async fn a_forged_cursor_counts_as_no_cursor(#[case] cursor: &str) {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    for name in ["A", "B", "C"] {
        app.organiser(&admin).make_event(name).await;
    }
    let answer = app.organiser(&admin).get(&format!("/api/v2/events/?limit=1&offset=1&cursor={cursor}")).await;
    assert_eq!((answer.status.as_u16(), answer.ids()), (200, vec![2]));
}

#[tokio::test]
async fn lists_contain_exactly_the_records_that_the_caller_may_see() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let partner = app.account("partner", Role::Partner, Some(admin.id)).await;
    let other = app.account("other", Role::Partner, None).await;
    let manager = app.account("manager", Role::Manager, Some(partner.id)).await;
    let nobody = app.account("nobody", Role::Manager, Some(partner.id)).await;
    let mut parts = Vec::new();
    for (owner, name, managers) in [(&partner, "A", vec![manager.id]), (&other, "B", vec![]), (&partner, "C", vec![])] {
        let caller = app.organiser(owner);
        let event = caller.make("/api/v2/events/", json!({ "name": name, "managers": managers })).await;
        let session = caller.make("/api/v2/sessions/", json!({ "event": event, "language": "x" })).await;
        parts.push((event, session, app.login_tokens(event, name, 2).await));
    }
    for (account, seen) in
        [(&admin, &[0, 1, 2][..]), (&partner, &[0, 2]), (&other, &[1]), (&manager, &[0]), (&nobody, &[])]
    {
        let caller = app.organiser(account);
        let visible: Vec<_> = seen.iter().map(|index| &parts[*index]).collect();
        let lists = [
            ("events", visible.iter().map(|part| part.0).collect::<Vec<_>>()),
            ("sessions", visible.iter().map(|part| part.1).collect()),
            ("logintokens", visible.iter().flat_map(|part| part.2.clone()).collect()),
        ];
        for (list, ids) in lists {
            let answer = caller.get(&format!("/api/v2/{list}/")).await;
            assert_eq!((answer.ids(), &answer.body["count"]), (ids.clone(), &json!(ids.len())), "{list}");
            assert_eq!(follow(&caller, &format!("/api/v2/{list}/?limit=1")).await, ids);
        }
        for (index, (event, session, tokens)) in parts.iter().enumerate() {
            let status = if seen.contains(&index) { 200 } else { 404 };
            for path in [
                format!("/api/v2/events/{event}/"),
                format!("/api/v2/events/{event}/archives/"),
                format!("/api/v2/sessions/{session}/"),
                format!("/api/v2/sessions/{session}/archives/"),
                format!("/api/v2/logintokens/{}/", tokens[0]),
            ] {
                assert_eq!(caller.get(&path).await.status, status, "{path}");
            }
            let count = usize::from(seen.contains(&index));
            for query in ["sessions/?event=", "logintokens/?limit=1&event="] {
                assert_eq!(caller.get(&format!("/api/v2/{query}{event}")).await.ids().len(), count);
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_listed_without_credentials() {
    let app = TestApp::new().await;
    for list in ["events", "sessions", "logintokens"] {
        let answer = app.anyone().get(&format!("/api/v2/{list}/?limit=x")).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.body, json!({ "detail": "Authentication credentials were not provided." }));
        assert_eq!(answer.header("www-authenticate"), "JWT realm=\"api\"");
        assert_eq!(app.client(false).await.get(&format!("/api/v2/{list}/")).await.status, 401);
    }
}
