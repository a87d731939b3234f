//! The readers of single values.

use greenroom_core::{
    config::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN},
    model::entity::Field,
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::{DeserializeOwned, IntoDeserializer, value::Error as ValueError};
use serde_json::Value;

use super::type_of;
use crate::dialect::events::Problem;

/// A text as it is. A number is taken as its text.
fn raw(value: &Value) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) if is_exact(number) => Ok(number.to_string()),
        Value::Null => Err(Problem::Null),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(Problem::NoText),
    }
}

/// Whether a number was read with all its digits. Two numbers that were not could read alike, and as login tokens would
/// open the same event.
fn is_exact(number: &serde_json::Number) -> bool {
    number.as_f64().is_some_and(|value| !number.is_f64() || value.abs() < 9_007_199_254_740_992.0)
}

/// A text of at most this many characters, trimmed; it may be empty.
pub fn blank_text(max: usize) -> impl Fn(&Value) -> Result<String, Problem> {
    move |value| {
        let text = raw(value)?.trim().to_owned();
        if text.chars().count() > max { Err(Problem::TooLong(max)) } else { Ok(text) }
    }
}

/// A text of at most this many characters, trimmed and not empty.
pub fn text(max: usize) -> impl Fn(&Value) -> Result<String, Problem> {
    text_of(&Field { may_be_blank: false, max_length: max, ..Field::named("") })
}

/// A text within the limits of this field, trimmed.
pub(super) fn text_of(field: &Field) -> impl Fn(&Value) -> Result<String, Problem> + use<> {
    let Field { may_be_blank, min_length, max_length, .. } = *field;
    move |value| {
        let text = blank_text(max_length)(value)?;
        match text.chars().count() {
            0 if !may_be_blank => Err(Problem::Blank),
            count if count < min_length => Err(Problem::TooShort(min_length)),
            _ => Ok(text),
        }
    }
}

/// The value that `read` reads, or null.
pub(super) fn nullable<T>(
    read: impl Fn(&Value) -> Result<T, Problem>,
) -> impl Fn(&Value) -> Result<Option<T>, Problem> {
    move |value| if value.is_null() { Ok(None) } else { read(value).map(Some) }
}

/// A mail address of at most this many characters, or an empty text.
pub(super) fn email(max: usize) -> impl Fn(&Value) -> Result<String, Problem> {
    move |value| {
        let text = blank_text(max)(value)?;
        let valid = text.is_empty() || is_email(&text);
        if valid { Ok(text) } else { Err(Problem::NoEmail) }
    }
}

fn is_email(text: &str) -> bool {
    let Some((user, host)) = text.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{}|~".contains(c);
    let user = user.split('.').all(|part| !part.is_empty() && part.chars().all(atom));
    let label = |label: &str| {
        let inside = label.chars().all(|c| c.is_alphanumeric() || c == '-');
        inside && !label.is_empty() && label.len() <= 63 && !label.starts_with('-') && !label.ends_with('-')
    };
    user && (host == "localhost" || (host.contains('.') && host.split('.').all(label)))
}

/// A password as it is. It is never trimmed.
pub fn password(value: &Value) -> Result<SecretString, Problem> {
    let text = given_password(value)?;
    let exposed = text.expose_secret();
    match (exposed.chars().count(), exposed.len()) {
        (0..PASSWORD_CHARS_MIN, _) => Err(Problem::TooShort(PASSWORD_CHARS_MIN)),
        (_, 0..=PASSWORD_BYTES_MAX) => Ok(text),
        _ => Err(Problem::TooManyBytes(PASSWORD_BYTES_MAX)),
    }
}

/// A password to check against the stored one, of any length.
pub fn given_password(value: &Value) -> Result<SecretString, Problem> {
    let text = raw(value)?;
    if text.is_empty() { Err(Problem::Blank) } else { Ok(text.into()) }
}

/// A boolean, in each form that Django REST Framework takes.
pub(super) fn boolean(value: &Value) -> Result<bool, Problem> {
    let shown = match value {
        Value::Bool(boolean) => return Ok(*boolean),
        Value::Null => return Err(Problem::Null),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match shown.as_str() {
        "t" | "T" | "true" | "True" | "TRUE" | "1" | "1.0" => Ok(true),
        "f" | "F" | "false" | "False" | "FALSE" | "0" | "0.0" => Ok(false),
        _ => Err(Problem::NoBoolean(shortened(shown))),
    }
}

/// One of the values of an enum.
pub(super) fn choice<T: DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    let shown = match value {
        Value::Null => return Err(Problem::Null),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let word = IntoDeserializer::<ValueError>::into_deserializer(shown.as_str());
    T::deserialize(word).map_err(|_| Problem::NoChoice(shortened(shown)))
}

/// The number of an object. A number that no object can have is read as 0, which no object has.
pub(super) fn number(value: &Value) -> Result<Given, Problem> {
    match value {
        Value::Null => Err(Problem::Null),
        Value::String(text) if text.is_empty() => Err(Problem::Null),
        Value::String(text) if is_integer(text) => Ok(Given::of(text.trim())),
        Value::Number(number) if !number.is_f64() || !is_exact(number) => Ok(Given::of(&number.to_string())),
        // `1.0` and `1e0` are read as 1.
        Value::Number(number) if number.as_f64().is_some_and(|value| value.fract() == 0.0) => {
            Ok(Given::of(&format!("{:.0}", number.as_f64().unwrap_or_default())))
        }
        other => Err(Problem::NoPk(type_of(other))),
    }
}

/// The numbers of at most this many objects, each once, in the order in which they are given.
pub(super) fn numbers(max: usize) -> impl Fn(&Value) -> Result<Vec<u64>, Problem> {
    move |value| {
        let values = match value {
            Value::Null => return Err(Problem::Null),
            Value::Array(values) => values,
            other => return Err(Problem::NoList(type_of(other))),
        };
        let mut ids = Vec::new();
        for value in values {
            let Given { id, .. } = number(value).map_err(in_list)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        if ids.len() > max { Err(Problem::TooMany(max)) } else { Ok(ids) }
    }
}

/// In a list, null counts as the number of an object that does not exist.
fn in_list(problem: Problem) -> Problem {
    if problem == Problem::Null { Problem::InvalidPk("None".to_owned()) } else { problem }
}

/// A list of texts. Elements that are no text are left out.
pub fn texts(value: &Value) -> Result<Vec<String>, Problem> {
    match value {
        Value::Null => Err(Problem::Null),
        Value::Array(values) => Ok(values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()),
        other => Err(Problem::NoList(type_of(other))),
    }
}

/// An object's number as a request gives it.
pub(super) struct Given {
    /// The number; 0, which no object has, if no object can have the given one.
    pub(super) id: u64,
    shown: String,
}

impl Given {
    fn of(digits: &str) -> Self {
        Self { id: digits.parse().unwrap_or(0), shown: shortened(digits.to_owned()) }
    }

    /// The problem that there is no such object for this caller.
    pub(super) fn unknown(&self) -> Problem {
        Problem::InvalidPk(self.shown.clone())
    }
}

fn is_integer(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// Answers quote a limited length.
fn shortened(text: String) -> String {
    if text.chars().count() <= 255 { text } else { text.chars().take(255).collect() }
}
