//! The fields of a request of `/api/v2`, read as Django REST Framework reads them: all that is wrong is said together.

mod value;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use serde_json::{Map, Value};

pub use self::value::{
    Pk, blank_text, boolean, choice, email, given_password, nullable, password, pk, pk_or_none, pks, text,
    text_between, texts,
};
use super::{is_json, read_json_body};
use crate::{
    App,
    dialect::{
        events::{Error, FieldErrors, Problem},
        openvidu::Sent,
    },
};

/// A body that is looked into only once it is known what it is for.
pub struct Payload {
    headers: HeaderMap,
    body: Result<Bytes, Error>,
}

impl FromRequest<App> for Payload {
    type Rejection = Error;

    async fn from_request(request: Request, _: &App) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let body = read_json_body(&parts.headers, body).await.map_err(Error::from);
        Ok(Self { headers: parts.headers, body })
    }
}

impl Payload {
    /// The body's fields; none where there is no body.
    ///
    /// # Errors
    /// It is too large, not said to be JSON, no JSON or no object.
    pub fn form(self, need: Need) -> Result<Form, Error> {
        self.form_saying("nonFieldErrors", need)
    }

    /// The same, where what is wrong with all of it stands under another name.
    pub fn form_saying(self, general: &str, need: Need) -> Result<Form, Error> {
        let body = self.body?;
        let fields = if body.is_empty() { Map::new() } else { object(&self.headers, &body, general)? };
        Ok(Form { fields, need, errors: FieldErrors::default() })
    }
}

fn object(headers: &HeaderMap, body: &[u8], general: &str) -> Result<Map<String, Value>, Error> {
    if is_json(headers) == Some(false) {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        return Err(Error::UnsupportedMediaType(Sent::new(kind)));
    }
    match serde_json::from_slice(body).map_err(|error| Error::NoJson(error.to_string()))? {
        Value::Object(fields) => Ok(fields),
        Value::Null => Err(FieldErrors::one(general, &Problem::NoData).into()),
        other => Err(FieldErrors::one(general, &Problem::NoObject(type_of(&other))).into()),
    }
}

/// What Python calls a value's type.
fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// Whether what is required has to be there: not where only some fields are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// It has to: POST and PUT.
    All,
    /// It has not: PATCH.
    Some,
}

/// A request's fields, and what was found wrong with them so far.
pub struct Form {
    fields: Map<String, Value>,
    need: Need,
    errors: FieldErrors,
}

impl Form {
    /// A field that has to be there.
    pub fn required<T>(&mut self, name: &str, read: impl Fn(&Value) -> Result<T, Problem>) -> Option<T> {
        if self.need == Need::All && !self.fields.contains_key(name) {
            self.errors.add(name, &Problem::Required);
        }
        self.optional(name, read)
    }

    /// A field that may be left out.
    pub fn optional<T>(&mut self, name: &str, read: impl Fn(&Value) -> Result<T, Problem>) -> Option<T> {
        match read(self.fields.get(name)?) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.errors.add(name, &problem);
                None
            }
        }
    }

    /// An object that has to be there, with its own fields.
    pub fn nested<T>(&mut self, name: &str, read: impl FnOnce(&mut Form) -> T) -> Option<T> {
        match self.fields.remove(name) {
            Some(Value::Object(fields)) => {
                let mut form = Form { fields, need: self.need, errors: FieldErrors::default() };
                let value = read(&mut form);
                self.errors.nest(name, form.errors);
                return Some(value);
            }
            None => self.errors.add(name, &Problem::Required),
            Some(Value::Null) => self.errors.add(name, &Problem::Null),
            Some(other) => {
                self.errors.nest(name, FieldErrors::one("nonFieldErrors", &Problem::NoObject(type_of(&other))));
            }
        }
        None
    }

    /// Adds what is wrong with a field for another reason than its form.
    pub fn refuse(&mut self, name: &str, problem: &Problem) {
        self.errors.add(name, problem);
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// Refuses the request where anything is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.into()) }
    }
}
