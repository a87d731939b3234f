//! The fields of a request to `/api/v2`, read as Django REST Framework reads them. One answer names everything that is
//! wrong.

mod part;
mod value;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};
use greenroom_core::model::entity::{Field, FieldReader};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::value::{boolean, choice, email, nullable, number, numbers, text_of};
pub use self::{
    part::NewPart,
    value::{blank_text, given_password, password, text, texts},
};
use super::{is_json, read_json_body};
use crate::{
    App,
    dialect::{
        events::{Error, FieldErrors, Problem},
        openvidu::Sent,
    },
};

/// A body that has not been parsed. The handler checks first whether the caller may do what it asks.
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
    /// The body's fields. There are none if there is no body.
    ///
    /// # Errors
    /// The body is too large, does not say that it is JSON, or is no JSON object.
    pub fn form(self, need: Need) -> Result<Form, Error> {
        self.form_saying("nonFieldErrors", need)
    }

    /// The same, with problems of the whole body under the name `general`.
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

/// The name that Python has for a value's type.
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

/// Whether required fields have to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// They have to: POST and PUT.
    All,
    /// They do not: PATCH changes only the fields that it has.
    Some,
}

/// A request's fields, and the problems found with them so far.
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

    /// An object that has to be there. `read` reads its fields.
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

    fn field<T>(&mut self, field: &Field, read: impl Fn(&Value) -> Result<T, Problem>) -> Option<T> {
        if field.is_required { self.required(field.name, read) } else { self.optional(field.name, read) }
    }

    /// Adds the problem that no object with this number exists for the caller. The message quotes the number as the
    /// request wrote it.
    pub fn refuse_number(&mut self, name: &str, id: u64) {
        let Some(value) = self.fields.get(name) else { return };
        let given = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        if let Some(number) = given.iter().filter_map(|value| number(value).ok()).find(|number| number.id == id) {
            self.errors.add(name, &number.unknown());
        }
    }

    /// Adds a problem of a field that is not about its form.
    pub fn refuse(&mut self, name: &str, problem: &Problem) {
        self.errors.add(name, problem);
    }

    /// Whether no problem was found so far.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.errors.is_empty()
    }

    /// Refuses the request if any problem was found.
    ///
    /// # Errors
    /// All problems.
    pub fn finish(self) -> Result<(), Error> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors.into()) }
    }
}

impl FieldReader for Form {
    fn text(&mut self, field: &Field) -> Option<String> {
        self.field(field, text_of(field))
    }

    fn nullable_text(&mut self, field: &Field) -> Option<Option<String>> {
        self.field(field, nullable(text_of(field)))
    }

    fn email(&mut self, field: &Field) -> Option<String> {
        self.field(field, email(field.max_length))
    }

    fn boolean(&mut self, field: &Field) -> Option<bool> {
        self.field(field, boolean)
    }

    fn choice<T: DeserializeOwned>(&mut self, field: &Field) -> Option<T> {
        self.field(field, choice)
    }

    fn number(&mut self, field: &Field) -> Option<u64> {
        self.field(field, |value| number(value).map(|number| number.id))
    }

    fn nullable_number(&mut self, field: &Field) -> Option<Option<u64>> {
        self.field(field, |value| match number(value) {
            Ok(number) => Ok(Some(number.id)),
            // An empty text counts as null too.
            Err(Problem::Null) => Ok(None),
            Err(problem) => Err(problem),
        })
    }

    fn numbers(&mut self, field: &Field) -> Option<Vec<u64>> {
        self.field(field, numbers(field.max_items))
    }
}
