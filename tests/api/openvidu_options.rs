//! Making connections of `/openvidu/api`, and issuing their tokens: the options of both.

use axum::body::Body;
use greenroom_core::config::Setting;
use insta::assert_snapshot;
use rstest::rstest;
use serde_json::{Value, json};

use crate::{
    openvidu_connections::{CONNECTIONS, connect, ids, open, with_session},
    support::{NOW, TestApp},
};

const TOKENS: &str = "/openvidu/api/tokens";

#[tokio::test]
async fn the_options_of_a_connection_are_kept() {
    let app = TestApp::with([(Setting::PublicUrl, "https://media.example:4443/")]).await;
    open(&app).await;
    let options = json!({
        "type": "WEBRTC", "data": "{\"name\":\"Ada\"}", "role": "MODERATOR", "record": false, "rtspUri": "not looked at",
        "kurentoOptions": {
            "allowedFilters": ["B", "A"], "videoMinSendBandwidth": -1.9, "videoMaxRecvBandwidth": 1000, "x": {},
        },
        "customIceServers": [
            {"url": "turn:turn.example.com:443?transport=tcp", "username": "ada", "credential": "c", "x": 1},
            {"url": "stun:[2001:db8::1]", "username": null},
        ],
    });
    let made = connect(&app, options).await;
    assert!(made["token"].as_str().unwrap().starts_with("wss://media.example:4443?sessionId=daily&token=tok_"));
    let shown = app.backend().text(&format!("{CONNECTIONS}/{}", made["id"].as_str().unwrap()), &[]).await;
    let (_, behind) = shown.split_once(r#""type":"WEBRTC","#).unwrap();
    let (options, _) = behind.split_once(r#","token""#).unwrap();
    assert_snapshot!(options);
}

#[tokio::test]
async fn an_empty_object_of_options_stays_one() {
    let app = with_session().await;
    assert_eq!(connect(&app, json!({"kurentoOptions": {}})).await["kurentoOptions"], json!({}));
    assert_eq!(connect(&app, json!({"kurentoOptions": {"allowedFilters": []}})).await["kurentoOptions"], json!({}));
}

#[tokio::test]
async fn a_turn_servers_secret_becomes_a_user_of_a_day_and_is_not_shown() {
    let app = with_session().await;
    let servers = json!([{"url": "turns:turn.example.com", "staticAuthSecret": "of the TURN server"}]);
    let made = connect(&app, json!({"customIceServers": servers})).await;
    let server = made["customIceServers"][0].as_object().unwrap();
    assert_eq!(server.keys().collect::<Vec<_>>(), ["credential", "url", "username"]);
    let (end, name) = server["username"].as_str().unwrap().split_once(':').unwrap();
    assert_eq!(end, (NOW / 1000 + 86400).to_string());
    assert_eq!(name.len(), 8);
    // 20 bytes in base64.
    assert_eq!(server["credential"].as_str().unwrap().len(), 28);
    assert!(!app.items().await.concat().contains("of the TURN server"));
}

#[rstest]
#[case::a_type_that_is_none(json!({"type": 1, "role": 1}), "Type error in some parameter: type has to be a string")]
#[case::data(json!({"data": {}, "type": "X"}), "Type error in some parameter: data has to be a string")]
#[case::another_type(json!({"type": "webrtc", "role": 1}), "Parameter 'type' webrtc is not defined")]
#[case::long_data(json!({"data": "x".repeat(10_001)}), "Metadata unexpected format. Max length allowed is 10000 chars")]
#[case::a_role_that_is_none(json!({"role": 1, "kurentoOptions": 1}), "Type error in parameter 'role': role has to be a string")]
#[case::another_role(json!({"role": "GUEST"}), "Parameter role GUEST is not defined")]
#[case::options(json!({"kurentoOptions": "x", "customIceServers": 1}), "Error in parameter 'kurentoOptions'. It is not a valid JSON object")]
#[case::a_bandwidth(json!({"kurentoOptions": {"videoMaxRecvBandwidth": "1"}}), "Type error in some parameter of 'kurentoOptions': videoMaxRecvBandwidth has to be a number")]
#[case::filters(json!({"kurentoOptions": {"allowedFilters": [1]}}), "Type error in some parameter of 'kurentoOptions': allowedFilters has to be an array of strings")]
#[case::servers(json!({"customIceServers": {}, "record": 1}), "Error in parameter 'customIceServersJson'. It is not a valid JSON object")]
#[case::a_server(json!({"customIceServers": ["stun:a"], "record": 1}), "Type error in some parameter of 'customIceServers': customIceServers has to be an array of objects")]
#[case::a_user(json!({"customIceServers": [{"url": "turn:a", "username": 1}]}), "Type error in some parameter of 'customIceServers': username has to be a string")]
#[case::long_options(json!({"kurentoOptions": {"allowedFilters": ["x".repeat(5000)]}, "customIceServers": [{"url": "stun:a", "x": "x".repeat(5000)}]}), "Parameters 'kurentoOptions' and 'customIceServers' are too long. Together they may have 10000 characters")]
#[tokio::test]
async fn an_invalid_option_is_refused_if_there_is_such_a_session(#[case] options: Value, #[case] message: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.backend().post(CONNECTIONS, options.clone()).await.to_string(), "404 -");
    let mut token = options.clone();
    token["session"] = "daily".into();
    assert_eq!(app.backend().post(TOKENS, token.clone()).await.problem(), "404 Session daily not found");
    open(&app).await;
    assert_eq!(app.backend().post(CONNECTIONS, options).await.problem(), format!("400 {message}"));
    assert_eq!(app.backend().post(TOKENS, token).await.problem(), format!("400 {message}"));
    assert!(ids(&app).await.is_empty());
}

#[tokio::test]
async fn only_a_connection_says_whether_it_is_recorded() {
    let app = with_session().await;
    let answer = app.backend().post(CONNECTIONS, json!({"record": "no"})).await;
    assert_eq!(answer.problem(), "400 Type error in parameter 'record': record has to be a boolean");
    // The schema has a boolean, so this is sent as text that no schema is compared with.
    let headers = [("content-type", "application/json")];
    let body = Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(
        r#"{"session":"daily","record":"no"}"#,
    )]));
    assert_eq!(app.backend().send("POST", TOKENS, &headers, body).await.status, 200);
    assert_eq!(app.backend().get(CONNECTIONS).await.body["content"][0]["record"], true);
}

#[tokio::test]
async fn filters_that_fit_into_no_item_are_echoed_by_the_old_family_and_not_kept() {
    let app = with_session().await;
    let options = json!({"videoMaxRecvBandwidth": 1, "allowedFilters": ["x".repeat(500_000)]});
    let answer = app.backend().post("/api/tokens", json!({"session": "daily", "kurentoOptions": options})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["kurentoOptions"], options);
    let kept = app.backend().get(CONNECTIONS).await.body["content"][0]["kurentoOptions"].clone();
    assert_eq!(kept, json!({"videoMaxRecvBandwidth": 1}));
}

#[rstest]
#[case::no_url(json!({}))]
#[case::a_path(json!({"url": "turn:a/b", "username": "u", "credential": "c"}))]
#[case::half_of_the_credentials(json!({"url": "turn:a", "username": "u"}))]
#[case::none(json!({"url": "turn:a"}))]
#[case::both(json!({"url": "turn:a", "username": "u", "credential": "c", "staticAuthSecret": "s"}))]
#[case::stun_with_credentials(json!({"url": "stun:a", "username": "u", "credential": "c"}))]
#[case::stun_with_a_secret(json!({"url": "stun:a", "staticAuthSecret": "s"}))]
#[tokio::test]
async fn an_ice_server_has_the_credentials_of_its_kind(#[case] server: Value) {
    let app = with_session().await;
    let answer = app.backend().post(CONNECTIONS, json!({"customIceServers": [server]})).await;
    assert!(answer.problem().starts_with("400 Type error in some parameter of 'customIceServers': "), "{answer}");
}

#[rstest]
#[case::all_is_well(json!({"rtspUri": "RTSP://camera.example/1", "networkCache": 1.5, "role": 1}), "501 IP cameras need a media server, and there is none")]
#[case::no_address(json!({}), "400 Type error in some parameter: rtspUri has to be a string")]
#[case::another_scheme(json!({"rtspUri": "ftp://camera.example/1"}), "400 Error in parameter 'rtspUri': its scheme has to be file, rtsp, rtsps, http or https")]
#[case::a_space(json!({"rtspUri": "rtsp://a b"}), "400 Error in parameter 'rtspUri': its scheme has to be file, rtsp, rtsps, http or https")]
#[case::a_bitrate(json!({"rtspUri": "rtsp://a", "adaptativeBitrate": 1}), "400 Type error in some parameter: adaptativeBitrate has to be a boolean")]
#[case::a_cache(json!({"rtspUri": "rtsp://a", "networkCache": "1"}), "400 Type error in some parameter: networkCache has to be a number")]
#[case::record(json!({"rtspUri": "rtsp://a", "record": 1}), "400 Type error in parameter 'record': record has to be a boolean")]
#[tokio::test]
async fn an_ip_camera_is_refused(#[case] mut options: Value, #[case] problem: &str) {
    let app = TestApp::new().await;
    options["type"] = "IPCAM".into();
    assert_eq!(app.backend().post(CONNECTIONS, options.clone()).await.to_string(), "404 -");
    open(&app).await;
    assert_eq!(app.backend().post(CONNECTIONS, options.clone()).await.problem(), problem);
    options["session"] = "daily".into();
    assert!(app.backend().post(TOKENS, options).await.problem().starts_with("400 "));
    assert!(ids(&app).await.is_empty());
}

#[tokio::test]
async fn a_token_names_the_host_that_proxies_say() {
    let app = with_session().await;
    let caller = app.backend().with_header("x-forwarded-host", "media.example:8443");
    for (path, body) in [(CONNECTIONS, json!({})), ("/api/tokens", json!({"session": "daily"}))] {
        let token = caller.post(path, body).await.body["token"].as_str().unwrap().to_owned();
        assert!(token.starts_with("wss://media.example:8443?sessionId=daily&token=tok_"), "{token}");
    }
}

#[tokio::test]
async fn a_token_has_seven_keys_and_an_eighth_with_options() {
    let app = with_session().await;
    let body = json!({"session": "daily", "data": "x", "role": "SUBSCRIBER", "record": false});
    let answer = app.backend().post_for_text(TOKENS, body.to_string()).await;
    let token: Value = serde_json::from_str(&answer).unwrap();
    let (id, text) = (token["connectionId"].as_str().unwrap(), token["token"].as_str().unwrap());
    assert!(text.starts_with("wss://greenroom.example?sessionId=daily&token=tok_") && !text.contains("role"));
    assert_snapshot!(answer.replace(id, "[id]").replace(text, "[token]"));
    let connection = app.backend().get(&format!("{CONNECTIONS}/{id}")).await.body;
    assert_eq!(connection["record"], true);
    let body = json!({"session": "daily", "kurentoOptions": {}, "customIceServers": [{"url": "stun:a"}]});
    let token = app.backend().post(TOKENS, body).await.body;
    assert_eq!(token.as_object().unwrap().len(), 8);
    assert_eq!(token["kurentoOptions"], json!({}));
}

#[rstest]
#[case::no_body("", "400 The body is missing")]
#[case::null("null", "400 The body is missing")]
#[case::no_session("{}", "400 \"session\" parameter is mandatory")]
#[case::an_empty_one(r#"{"session":""}"#, "400 \"session\" parameter is mandatory")]
#[case::a_number(r#"{"session":1,"role":1}"#, "400 Type error in some parameter")]
#[case::unknown(r#"{"session":"a b","role":1}"#, "404 Session a b not found")]
#[tokio::test]
async fn a_token_is_for_a_live_session(#[case] body: &'static str, #[case] problem: &str) {
    let app = TestApp::new().await;
    assert_eq!(app.backend().post_text(TOKENS, body).await.problem(), problem);
}
