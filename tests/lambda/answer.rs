//! The answer of a function to API Gateway, read as API Gateway reads it.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;

/// An answer on its way to the caller.
#[derive(Debug)]
pub(crate) struct Answer(Value);

impl Answer {
    pub(crate) fn new(answer: Value) -> Self {
        let answer = Self(answer);
        let is_text = answer.header("content-encoding").is_none();
        assert_eq!(answer.0["isBase64Encoded"], !is_text, "every answer is text, unless it is compressed: {answer:?}");
        answer
    }

    /// The body's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let is_encoded = self.0["isBase64Encoded"].as_bool().unwrap();
        if is_encoded { BASE64_STANDARD.decode(self.text()).unwrap() } else { self.text().as_bytes().to_vec() }
    }

    pub(crate) fn status(&self) -> u16 {
        self.0["statusCode"].as_u64().unwrap().try_into().unwrap()
    }

    /// A header by its name in lower case. A REST API may give it among those with several values.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let one = self.0["headers"][name].as_str();
        one.or_else(|| self.0["multiValueHeaders"][name][0].as_str())
    }

    pub(crate) fn text(&self) -> &str {
        self.0["body"].as_str().unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The text at this place of the body.
    pub(crate) fn at(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer} of {json}")).to_owned()
    }
}
