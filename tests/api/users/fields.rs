//! The fields of a user, one by one.

use rstest::rstest;
use serde_json::{Value, json};

use super::with;
use crate::support::TestApp;

/// The stored form of a value.
#[rstest]
#[case("username", json!("  ada \n"), json!("ada"))]
#[case("username", json!("x".repeat(150)), json!("x".repeat(150)))]
#[case("username", json!(format!(" {} ", "🎵".repeat(150))), json!("🎵".repeat(150)))]
#[case("username", json!(12345), json!("12345"))]
#[case("username", json!(-1.5), json!("-1.5"))]
#[case("username", json!(r#"a "b" & <c>@/:'"#), json!(r#"a "b" & <c>@/:'"#))]
#[case("email", json!(""), json!(""))]
#[case("email", json!("  "), json!(""))]
#[case("email", json!(" ada@example.com "), json!("ada@example.com"))]
#[case("email", json!("a.b+c@localhost"), json!("a.b+c@localhost"))]
#[case("email", json!(format!("{}@{}.example", "a".repeat(185), "b".repeat(60))), json!(format!("{}@{}.example", "a".repeat(185), "b".repeat(60))))]
#[case("firstName", json!(" Ada "), json!("Ada"))]
#[case("firstName", json!(""), json!(""))]
#[case("firstName", json!(7), json!("7"))]
#[case("lastName", json!("y".repeat(150)), json!("y".repeat(150)))]
#[case("lastName", json!("  "), json!(""))]
#[case("role", json!("admin"), json!("admin"))]
#[case("creator", json!(1), json!(1))]
#[case("creator", json!("1"), json!(1))]
#[case("creator", json!(" 1 "), json!(1))]
#[case("creator", json!(null), json!(null))]
#[case("creator", json!(""), json!(null))]
#[tokio::test]
async fn a_valid_value_is_kept_in_normalised_form(#[case] field: &str, #[case] sent: Value, #[case] kept: Value) {
    let app = TestApp::new().await;
    assert_eq!(with(&app, field, sent).await[field], kept);
}

/// The error for a value.
#[rstest]
#[case("username", json!(""), "This field may not be blank.")]
#[case("username", json!(" \t"), "This field may not be blank.")]
#[case("username", json!(null), "This field may not be null.")]
#[case("username", json!(true), "Not a valid string.")]
#[case("username", json!(["ada"]), "Not a valid string.")]
#[case("username", json!({ "a": 1 }), "Not a valid string.")]
#[case("username", json!("x".repeat(151)), "Ensure this field has no more than 150 characters.")]
#[case("email", json!("ada"), "Enter a valid email address.")]
#[case("email", json!("ada@"), "Enter a valid email address.")]
#[case("email", json!("@example.com"), "Enter a valid email address.")]
#[case("email", json!("a b@example.com"), "Enter a valid email address.")]
#[case("email", json!("ada@example..com"), "Enter a valid email address.")]
#[case("email", json!("ada@example.com\nBcc: x@example.com"), "Enter a valid email address.")]
#[case("email", json!(5), "Enter a valid email address.")]
#[case("email", json!(null), "This field may not be null.")]
#[case("email", json!(false), "Not a valid string.")]
#[case("email", json!(format!("a@{}.example", "b".repeat(250))), "Ensure this field has no more than 254 characters.")]
#[case("firstName", json!("x".repeat(151)), "Ensure this field has no more than 150 characters.")]
#[case("firstName", json!(null), "This field may not be null.")]
#[case("firstName", json!([]), "Not a valid string.")]
#[case("lastName", json!("x".repeat(151)), "Ensure this field has no more than 150 characters.")]
#[case("lastName", json!(null), "This field may not be null.")]
#[case("lastName", json!(true), "Not a valid string.")]
#[case("role", json!("king"), r#""king" is not a valid choice."#)]
#[case("role", json!("Admin"), r#""Admin" is not a valid choice."#)]
#[case("role", json!(""), r#""" is not a valid choice."#)]
#[case("role", json!(0), r#""0" is not a valid choice."#)]
#[case("role", json!(null), "This field may not be null.")]
#[case("creator", json!(99), r#"Invalid pk "99" - object does not exist."#)]
#[case("creator", json!("99"), r#"Invalid pk "99" - object does not exist."#)]
#[case("creator", json!(0), r#"Invalid pk "0" - object does not exist."#)]
#[case("creator", json!(-1), r#"Invalid pk "-1" - object does not exist."#)]
#[case("creator", json!("99999999999999999999"), r#"Invalid pk "99999999999999999999" - object does not exist."#)]
#[case("creator", json!("ada"), "Incorrect type. Expected pk value, received str.")]
#[case("creator", json!([1]), "Incorrect type. Expected pk value, received list.")]
#[case("creator", json!({}), "Incorrect type. Expected pk value, received dict.")]
#[tokio::test]
async fn an_invalid_value_is_refused_with_its_error(#[case] field: &str, #[case] sent: Value, #[case] text: &str) {
    let app = TestApp::new().await;
    assert_eq!(with(&app, field, sent).await, json!({ field: [text] }));
}
