use rstest::rstest;
use serde_json::{Value, from_str};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const SESSION: &str = "1_MX40NTgyODA2Mn5-MTY5OTk5OTk5OTEyM35BYkNkRWZHaElqS2xNbk9wUXJTdFV2V3h-fg";

fn signer(api_key: &str, api_secret: &str) -> TokenSigner {
    TokenSigner::new(&OpenTok { api_key: api_key.to_owned(), api_secret: api_secret.into(), api_url: String::new() })
}

fn project() -> TokenSigner {
    signer("45828062", "1234567890abcdef1234567890abcdef1234567890")
}

/// A token of this session for a publisher.
fn token(session: &str, expires_at: Timestamp, connection_data: &str) -> Result<T1Token, T1Error> {
    let session = &ProviderSessionId::new(session.to_owned());
    project().token(&Grant { session, role: T1Role::Publisher, expires_at, connection_data }, NOW)
}

/// The data of a token, after its signature.
fn data_of(token: &T1Token) -> String {
    let text = BASE64_STANDARD.decode(token.as_str().strip_prefix("T1==").unwrap()).unwrap();
    String::from_utf8(text).unwrap().split_once(':').unwrap().1.to_owned()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The vectors are tokens that the official Python SDK made, in versions 2.10 to 3.15, with its clock and nonce
/// stopped. `options` holds its arguments; those that are missing have its defaults.
#[test]
fn tokens_are_those_of_the_official_library() {
    let vectors: Vec<Value> = from_str(include_str!("../t1-vectors.json")).unwrap();
    assert_eq!(vectors.len(), 12);
    for vector in vectors {
        let options = &vector["options"];
        let now = Timestamp::from_seconds(vector["now"].as_i64().unwrap());
        let expires_at = match &options["expire_time"] {
            Value::Null => now + T1_TTL,
            Value::String(seconds) => Timestamp::from_seconds(seconds.parse().unwrap()),
            seconds => Timestamp::from_seconds(seconds.as_i64().unwrap()),
        };
        let roles = [T1Role::Subscriber, T1Role::Publisher, T1Role::Moderator, T1Role::PublisherOnly];
        let role = options["role"].as_str().unwrap_or("publisher");
        let role = roles.into_iter().find(|known| known.as_str() == role).unwrap();
        let layout = options["initial_layout_class_list"].as_array().map_or(&[][..], Vec::as_slice);
        let layout = layout.iter().map(text).collect::<Vec<_>>().join(" ");
        let session = &ProviderSessionId::new(text(&vector["session_id"]).to_owned());
        let grant = Grant { session, role, expires_at, connection_data: text(&options["data"]) };
        let nonce = vector["nonce"].as_u64().unwrap().try_into().unwrap();
        let signer = signer(text(&vector["api_key"]), text(&vector["api_secret"]));
        let token = signer.sign(&grant, now, nonce, &layout).unwrap();
        assert_eq!(token.as_str(), text(&vector["token"]), "{}", vector["name"]);
    }
}

#[test]
fn a_token_says_what_was_granted() {
    let data = data_of(&token(SESSION, NOW + T1_TTL, "con 1").unwrap());
    let (before, after) = data.split_once("&nonce=").unwrap();
    assert_eq!(before, format!("session_id={SESSION}&create_time=1700000000&expire_time=1700086400&role=publisher"));
    let (nonce, after) = after.split_once('&').unwrap();
    assert!(nonce.parse::<u32>().is_ok());
    assert_eq!(after, "initial_layout_class_list=&connection_data=con+1");
}

#[test]
fn no_two_tokens_are_the_same() {
    let token = || token(SESSION, NOW + T1_TTL, "").unwrap();
    assert_ne!(token().as_str(), token().as_str());
}

#[rstest]
#[case::ends_now(NOW, true)]
#[case::ends_within_this_second(Timestamp::from_millis(NOW.millis() + 999), true)]
#[case::ended(Timestamp::from_seconds(NOW.seconds() - 1), false)]
#[case::lives_thirty_days(Timestamp::from_seconds(NOW.seconds() + 2_592_000), true)]
#[case::lives_longer(Timestamp::from_seconds(NOW.seconds() + 2_592_001), false)]
#[case::lives_for_ever(Timestamp::from_millis(i64::MAX), false)]
#[case::ended_before_time_began(Timestamp::from_millis(i64::MIN), false)]
fn a_token_ends_between_now_and_thirty_days(#[case] expires_at: Timestamp, #[case] taken: bool) {
    let refusal = token(SESSION, expires_at, "").err();
    assert_eq!(refusal, (!taken).then_some(T1Error::Expiry));
}

#[test]
fn connection_data_is_counted_in_code_points() {
    assert!(token(SESSION, NOW + T1_TTL, &"🎧".repeat(1000)).is_ok());
    assert_eq!(token(SESSION, NOW + T1_TTL, &"x".repeat(1001)), Err(T1Error::ConnectionData));
    assert_eq!(token(SESSION, NOW + T1_TTL, &"🎧".repeat(1001)), Err(T1Error::ConnectionData));
}

#[rstest]
#[case::empty("")]
#[case::no_digit_before_it("_MX40NTgyODA2Mn5-eA")]
#[case::no_id_at_all("45828062")]
#[case::not_base64("1_MX40NTgyODA2Mn5-eA&role=moderator")]
#[case::not_utf_8("1___5-NDU4MjgwNjJ-")]
#[case::of_another_project("1_MX45OTk5OTk5OX5-eA")]
#[case::our_key_within_another("1_MX40NTgyODA2Mjl-fng")]
fn a_session_that_is_not_ours_has_no_token(#[case] session: &str) {
    assert_eq!(token(session, NOW + T1_TTL, ""), Err(T1Error::Session));
}

#[test]
fn neither_signer_nor_token_shows_itself_in_a_debug_print() {
    assert_eq!(format!("{:?}", project()), "TokenSigner");
    assert_eq!(format!("{:?}", token(SESSION, NOW, "").unwrap()), "T1Token");
}
