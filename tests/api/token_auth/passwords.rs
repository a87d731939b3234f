//! Passwords: setting, changing and using them.

use rstest::rstest;
use serde_json::json;

use super::{PASSWORD, WRONG, obtain, with_ada};

#[rstest]
#[case::spaces_at_its_ends("  password  ")]
#[case::nothing_but_spaces("        ")]
#[case::eight_characters("éééééééé")]
#[case::the_maximum_number_of_bytes(&"x".repeat(1_024))]
#[case::characters_with_a_special_meaning_elsewhere("\u{0}\"\\'\n🎵xx")]
#[tokio::test]
async fn a_password_is_accepted_exactly_as_it_was_set(#[case] password: &str) {
    let (app, ada) = with_ada().await;
    let admin = app.admin().await;
    let path = format!("/api/v2/users/{ada}/password_set/");
    let answer = app.organiser(&admin).post(&path, json!({ "newPw": password })).await;
    assert_eq!(answer.to_string(), "204 -");
    assert_eq!(obtain(&app, "Ada", password).await.status, 200);
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.to_string(), WRONG);
    let trimmed = password.trim();
    if !trimmed.is_empty() && trimmed != password {
        assert_eq!(obtain(&app, "Ada", trimmed).await.to_string(), WRONG);
    }
    assert!(!app.items().await.iter().any(|item| item.contains(password)));
}

#[tokio::test]
async fn a_user_who_knows_the_old_password_can_change_it() {
    let (app, ada) = with_ada().await;
    let ada_account = obtain(&app, "Ada", PASSWORD).await.body["token"].as_str().unwrap().to_owned();
    let caller = app.with_authorization(format!("JWT {ada_account}"));
    let path = format!("/api/v2/users/{ada}/password_change/");
    let change = |old: &str| json!({ "oldPw": old, "newPw": " battery ", "newPwRepeat": " battery " });
    assert_eq!(caller.post(&path, change("battery")).await.status, 400);
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.status, 200);
    assert_eq!(caller.post(&path, change(PASSWORD)).await.to_string(), "204 -");
    assert_eq!(obtain(&app, "Ada", PASSWORD).await.to_string(), WRONG);
    assert_eq!(obtain(&app, "Ada", "battery").await.to_string(), WRONG);
    assert_eq!(obtain(&app, "Ada", " battery ").await.status, 200);
    // The change ended the caller's login, and the old password no longer counts.
    let next = obtain(&app, "Ada", " battery ").await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(caller.post(&path, change(" battery ")).await.status, 401);
    let caller = app.with_authorization(format!("JWT {next}"));
    assert_eq!(caller.post(&path, change(PASSWORD)).await.status, 400);
}

#[tokio::test]
async fn a_login_attempt_accepts_a_password_of_any_length() {
    let (app, _) = with_ada().await;
    assert_eq!(obtain(&app, "Ada", &"x".repeat(100_000)).await.to_string(), WRONG);
    assert_eq!(obtain(&app, &"x".repeat(100_000), PASSWORD).await.to_string(), WRONG);
    assert_eq!(obtain(&app, "Ada", "x").await.to_string(), WRONG);
}

#[tokio::test]
async fn a_password_given_as_a_number_works_as_its_digits() {
    let (app, ada) = with_ada().await;
    let admin = app.admin().await;
    let path = format!("/api/v2/users/{ada}/password_set/");
    assert_eq!(app.organiser(&admin).post(&path, json!({ "newPw": 72_345_618 })).await.status, 204);
    assert_eq!(obtain(&app, "Ada", "72345618").await.status, 200);
    let answer = app.anyone().post(super::OBTAIN, json!({ "username": "Ada", "password": 72_345_618 })).await;
    assert_eq!(answer.status, 200);
}

#[rstest]
#[case::a_common_one("password1")]
#[case::a_common_one_in_capitals("PassWord1")]
#[case::digits("12345678")]
#[case::their_mail_address("ada@GREENROOM.example")]
#[case::their_name("Ada Lovelace")]
#[case::the_service("GreenRoom")]
#[tokio::test]
async fn a_common_password_is_refused_as_a_new_password(#[case] password: &str) {
    let (app, ada) = with_ada().await;
    let admin = app.admin().await;
    let admin = app.organiser(&admin);
    let user = format!("/api/v2/users/{ada}/");
    let token = obtain(&app, "Ada", PASSWORD).await.body["token"].as_str().unwrap().to_owned();
    assert_eq!(admin.patch(&user, json!({ "username": "ada lovelace" })).await.status, 200);
    let refused = r#"400 {"newPw":["This password is too common."]}"#;
    let set = admin.post(&format!("{user}password_set/"), json!({ "newPw": password })).await;
    assert_eq!(set.to_string(), refused);
    let change = json!({ "oldPw": PASSWORD, "newPw": password, "newPwRepeat": password });
    let own = app.with_authorization(format!("JWT {token}"));
    assert_eq!(own.post(&format!("{user}password_change/"), change).await.to_string(), refused);
}

#[tokio::test]
async fn an_existing_common_password_still_works() {
    let (app, ada) = with_ada().await;
    app.give_passwords(&[ada], "password1").await;
    assert_eq!(obtain(&app, "Ada", "password1").await.status, 200);
}
