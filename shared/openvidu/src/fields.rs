//! The fields of a JSON object, each read when it is asked for.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use greenroom_http::dialect::openvidu::WrongType;
use serde::{
    Deserialize,
    de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError},
};
use serde_json::value::RawValue;

/// The fields of a JSON object. A field that is `null` counts as absent, and one that nobody asks for is not checked.
#[derive(Default, Deserialize)]
#[serde(transparent)]
pub struct Fields<'a>(#[serde(borrow)] BTreeMap<Cow<'a, str>, &'a RawValue>);

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields")
    }
}

/// The value of a field, `None` if the field is absent.
type Read<T> = Result<Option<T>, WrongType>;

impl<'a> Fields<'a> {
    /// A text.
    ///
    /// # Errors
    /// [`WrongType`] if it is something else, as for all other types.
    pub fn text(&self, name: &'static str) -> Read<String> {
        self.read(name, "a string")
    }

    /// A boolean.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn boolean(&self, name: &'static str) -> Read<bool> {
        self.read(name, "a boolean")
    }

    /// A number without its fraction. One that is too large is the largest of its type.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn integer(&self, name: &'static str) -> Read<i64> {
        #[expect(clippy::cast_possible_truncation, reason = "a conversion with `as` drops the fraction and saturates")]
        let whole = |number: f64| number as i64;
        Ok(self.read(name, "a number")?.map(whole))
    }

    /// An array of texts.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn texts(&self, name: &'static str) -> Read<Vec<String>> {
        self.read(name, "an array of strings")
    }

    /// An object.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn object(&self, name: &'static str) -> Read<Fields<'a>> {
        self.read(name, "an object")
    }

    /// An array of objects, with an error in place of an element that is none.
    ///
    /// # Errors
    /// As [`Fields::text`].
    pub fn objects(&self, name: &'static str) -> Read<Vec<Result<Fields<'a>, WrongType>>> {
        let object = |element: &'a RawValue| {
            serde_json::from_str(element.get()).map_err(|_| WrongType { name, expected: "an array of objects" })
        };
        let elements: Option<Vec<&'a RawValue>> = self.read(name, "an array")?;
        Ok(elements.map(|elements| elements.into_iter().map(object).collect()))
    }

    /// The JSON text of a field; `None` if the field is absent.
    #[must_use]
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|value| value.get() != "null")
    }

    fn read<T: Deserialize<'a>>(&self, name: &'static str, expected: &'static str) -> Read<T> {
        let Some(value) = self.raw(name) else { return Ok(None) };
        serde_json::from_str(value.get()).map(Some).map_err(|_| WrongType { name, expected })
    }
}

/// The value of an enumeration with this name. Without a name it is the default.
///
/// # Errors
/// The name, if there is no such value.
pub fn value<T: DeserializeOwned + Default>(name: Option<&str>) -> Result<T, &str> {
    let Some(name) = name else { return Ok(T::default()) };
    T::deserialize(IntoDeserializer::<ValueError>::into_deserializer(name)).map_err(|_| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_null_is_absent_and_an_unread_field_may_be_anything() {
        let fields = fields(r#"{"a":null,"b":1e999,"c":"x"}"#);
        assert_eq!(fields.text("a"), Ok(None));
        assert_eq!(fields.text("none"), Ok(None));
        assert_eq!(fields.text("c"), Ok(Some("x".to_owned())));
        assert!(fields.integer("b").is_err());
    }

    #[test]
    fn a_number_loses_its_fraction_and_not_its_sign() {
        let fields = fields(r#"{"a":-1.9,"b":1e300,"c":"1"}"#);
        assert_eq!(fields.integer("a"), Ok(Some(-1)));
        assert_eq!(fields.integer("b"), Ok(Some(i64::MAX)));
        assert!(fields.integer("c").is_err());
    }
}
