//! Checks that both sides give the same answers, because an answer with less in it could be faster.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::{Result, client::Connection};

use crate::events::{OPENTOK_API_KEY, Side, task};

/// The names in a session token's data, in their order.
const DATA: [&str; 7] =
    ["session_id", "create_time", "expire_time", "role", "nonce", "initial_layout_class_list", "connection_data"];

/// Compares the bodies of both sides, for every type of login token. Returns a session id that one of them gave.
pub(crate) async fn require(sides: &[Side; 2]) -> Result<String> {
    let [ours, theirs] = [Answers::of(&sides[0]).await?, Answers::of(&sides[1]).await?];
    let [first, second] = [ours.shape(), theirs.shape()];
    if first != second {
        let names = [sides[0].name, sides[1].name];
        return Err(format!("the sides answer differently\n{}: {first}\n{}: {second}", names[0], names[1]).into());
    }
    ours.check_tokens()?;
    theirs.check_tokens()?;
    ours.session_id()
}

/// The list of events, and the answer to a participant of every type.
struct Answers(Vec<Value>);

impl Answers {
    async fn of(side: &Side) -> Result<Self> {
        let jwt = task::obtain_jwt(side.address).await?;
        let mut connection = Connection::open(side.address).await?;
        let mut answers = vec![serde_json::from_slice(task::list(&mut connection, &jwt).await?)?];
        for number in 0..5 {
            let answer = task::enter(&mut connection, &task::login_token(number)).await?;
            answers.push(serde_json::from_slice(answer)?);
        }
        Ok(Self(answers))
    }

    fn shape(&self) -> Value {
        self.0.iter().map(shape).collect()
    }

    fn sessions(&self) -> impl Iterator<Item = &Value> {
        self.0.iter().filter_map(|answer| answer["sessions"].as_array()).flatten()
    }

    fn session_id(&self) -> Result<String> {
        let session = self.sessions().next().ok_or("nobody may enter any session")?;
        Ok(session["tokbox"]["sessionId"].as_str().ok_or("a session without an id")?.to_owned())
    }

    fn check_tokens(&self) -> Result<()> {
        for session in self.sessions() {
            let token = session["tokbox"]["sessionToken"].as_str().ok_or("a session without a token")?;
            if !is_t1(token) {
                return Err("a session token is not of the form T1".into());
            }
        }
        Ok(())
    }
}

/// Whether this is `T1==` and the Base64 of `partner_id=…&sig=<40 hex digits>:<data>`.
fn is_t1(token: &str) -> bool {
    let decoded = token.strip_prefix("T1==").and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    let Some(decoded) = decoded.and_then(|decoded| String::from_utf8(decoded).ok()) else { return false };
    let signed = decoded.strip_prefix(&format!("partner_id={OPENTOK_API_KEY}&sig="));
    let Some((signature, data)) = signed.and_then(|signed| signed.split_once(':')) else { return false };
    let names = data.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    signature.len() == 40 && signature.bytes().all(|byte| byte.is_ascii_hexdigit()) && names.eq(DATA)
}

/// The body with the kind of each value instead of the value.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(values) => values.iter().map(shape).collect(),
        Value::Object(values) => values.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_token_has_its_fields_in_order() {
        let signature = "0".repeat(40);
        let token = |data: &str| {
            let signed = format!("partner_id={OPENTOK_API_KEY}&sig={signature}:{data}");
            format!("T1=={}", BASE64_STANDARD.encode(signed))
        };
        let data = DATA.map(|name| format!("{name}=x"));
        assert!(is_t1(&token(&data.join("&"))));
        assert!(!is_t1(&token(&data[1..].join("&"))));
        assert!(!is_t1(&signature));
    }

    #[test]
    fn bodies_that_differ_only_in_values_have_the_same_shape() {
        let body = |id: u8, name: &str| json!({"results": [{"id": id, "name": name, "logo": null}]});
        assert_eq!(shape(&body(1, "a")), shape(&body(2, "b")));
        assert_ne!(shape(&body(1, "a")), shape(&json!({"results": []})));
    }
}
