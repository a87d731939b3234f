//! Which `Authorization` headers are accepted, and the error for every other.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rstest::rstest;
use serde_json::{Value, json};

use super::{log_in, part, refresh, request_with, with_ada};
use crate::support::{Answer, TestApp};

const JWT: &str = "JWT realm=\"api\"";
const TOKEN: &str = "Token";

fn says(answer: &Answer, detail: &str, challenge: &str) {
    assert_eq!((answer.status.as_u16(), &answer.body), (401, &json!({ "detail": detail })));
    assert_eq!(answer.header("www-authenticate"), challenge);
}

#[rstest]
#[case("JWT")]
#[case("jwt")]
#[case("JwT")]
#[tokio::test]
async fn the_scheme_is_case_insensitive(#[case] scheme: &str) {
    let (app, _) = with_ada().await;
    let token = log_in(&app).await;
    for space in [" ", "   ", " \t"] {
        let answer = app.with_authorization(format!("{scheme}{space}{token} ")).get("/api/v2/").await;
        assert_eq!(answer.status, 200);
    }
}

#[rstest]
#[case("", "Authentication credentials were not provided.")]
#[case("Basic abc", "Authentication credentials were not provided.")]
#[case("Bearer abc", "Authentication credentials were not provided.")]
#[case("Token abc", "Authentication credentials were not provided.")]
#[case("JWTabc", "Authentication credentials were not provided.")]
#[case("JWT", "Invalid Authorization header. No credentials provided.")]
#[case("jwt  ", "Invalid Authorization header. No credentials provided.")]
#[case("JWT a b", "Invalid Authorization header. Credentials string should not contain spaces.")]
#[case("JWT a b c", "Invalid Authorization header. Credentials string should not contain spaces.")]
#[case("JWT abc", "Error decoding signature.")]
#[case("JWT a.b.c", "Error decoding signature.")]
#[case("JWT 🎵", "Error decoding signature.")]
#[case("JWT eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30.", "Error decoding signature.")]
#[tokio::test]
async fn a_header_without_a_user_token_is_refused(#[case] authorization: &str, #[case] detail: &str) {
    let app = TestApp::new().await;
    for path in ["", "users", "users/1", "events", "sessions/1", "logintokens", "apitokens"] {
        let answer = app.with_authorization(authorization).get(&format!("/api/v2/{path}/")).await;
        if path == "apitokens" || answer.status != 405 {
            says(&answer, detail, JWT);
        }
    }
}

#[rstest]
#[case("", "Authentication credentials were not provided.")]
#[case("Basic abc", "Authentication credentials were not provided.")]
#[case("JWT abc", "Authentication credentials were not provided.")]
#[case("Token", "Invalid token header. No credentials provided.")]
#[case("Token a b", "Invalid token header. Token string should not contain spaces.")]
#[case("Token abc", "Invalid token.")]
#[case("tOKEN 9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b", "Invalid token.")]
#[tokio::test]
async fn a_header_without_a_client_token_is_refused(#[case] authorization: &str, #[case] detail: &str) {
    let app = TestApp::new().await;
    for path in ["rtcsessions", "networktestsessions", "networktestsession", "bookingemails"] {
        for slash in ["", "/"] {
            let path = format!("/api/v2/{path}{slash}");
            let caller = app.with_authorization(authorization);
            says(&caller.post_text(&path, "{").await, detail, TOKEN);
            // A method that is not served gets the same error.
            says(&caller.get(&path).await, detail, TOKEN);
        }
    }
}

#[tokio::test]
async fn no_header_at_all_is_refused_alike() {
    let app = TestApp::new().await;
    let missing = "Authentication credentials were not provided.";
    says(&app.anyone().get("/api/v2/").await, missing, JWT);
    says(&app.anyone().post_nothing("/api/v2/rtcsessions/").await, missing, TOKEN);
}

#[tokio::test]
async fn a_token_with_any_wrong_part_is_refused() {
    let (app, _) = with_ada().await;
    let token = log_in(&app).await;
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims] = [0, 1].map(|index| part(&token, index));
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let with = |mut value: Value, key: &str, wanted: Value| {
        value[key] = wanted;
        encode(&value)
    };
    let forged = [
        format!("{}.{}.", with(header.clone(), "alg", json!("none")), parts[1]),
        format!("{}.{}.{}", with(header.clone(), "alg", json!("none")), parts[1], parts[2]),
        format!("{}.{}.{}", with(header.clone(), "alg", json!("HS512")), parts[1], parts[2]),
        format!("{}.{}.{}", with(header.clone(), "alg", json!("RS256")), parts[1], parts[2]),
        format!("{}.{}.{}", with(header.clone(), "kid", json!("k9")), parts[1], parts[2]),
        format!("{}.{}.{}", with(header.clone(), "kid", json!(null)), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], with(claims.clone(), "user_id", json!(2)), parts[2]),
        format!("{}.{}.{}", parts[0], with(claims.clone(), "exp", json!(9_999_999_999_u64)), parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{token}x"),
        format!("{token}.x"),
        // A device's token is signed with the same key.
        app.register("phone").await,
    ];
    for token in forged {
        says(&request_with(&app, &token).await, "Error decoding signature.", JWT);
        let refused = json!({ "non_field_errors": ["Error decoding signature."] });
        assert_eq!(refresh(&app, &token).await.body, refused);
    }
}

#[tokio::test]
async fn a_token_gives_access_only_to_the_routes_of_its_family() {
    let (app, _) = with_ada().await;
    let jwt = log_in(&app).await;
    let missing = "Authentication credentials were not provided.";
    for path in ["rtcsessions", "networktestsessions", "bookingemails"] {
        let path = format!("/api/v2/{path}/");
        says(&app.with_authorization(format!("JWT {jwt}")).post_text(&path, "{").await, missing, TOKEN);
        says(&app.with_authorization(format!("Token {jwt}")).post_text(&path, "{").await, "Invalid token.", TOKEN);
    }
    says(&app.bearer(&jwt).post_text("/api/v2/rtcsessions/", "{").await, "Invalid token.", TOKEN);
    assert_eq!(app.bearer(&jwt).get("/api/session").await.status, 401);
    let device = app.register("phone").await;
    says(&app.bearer(&device).get("/api/v2/users/").await, missing, JWT);
    says(&app.client(false).await.get("/api/v2/users/").await, missing, JWT);
    says(&app.backend().get("/api/v2/users/").await, missing, JWT);
}
