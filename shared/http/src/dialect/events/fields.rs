//! Messages by field, in the words of Django REST Framework (`docs/apis/events-api.md`).

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A problem of a field. It may quote what was sent, so its `Debug` prints its type only.
#[derive(Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is missing.
    Required,
    /// It is empty.
    Blank,
    /// It is null.
    Null,
    /// It is not a text.
    NoText,
    /// It is not a boolean. The message quotes it.
    NoBoolean(String),
    /// It is not one of the possible values. The message quotes it.
    NoChoice(String),
    /// It has more characters than this.
    TooLong(usize),
    /// It has fewer characters than this.
    TooShort(usize),
    /// It has more bytes than this.
    TooManyBytes(usize),
    /// It has more elements than this.
    TooMany(usize),
    /// It is not a mail address.
    NoEmail,
    /// There is no such object for this caller. The message quotes its number.
    InvalidPk(String),
    /// It is not the number of an object. It has this type.
    NoPk(&'static str),
    /// It is not a list. It has this type.
    NoList(&'static str),
    /// It is not an object. It has this type.
    NoObject(&'static str),
    /// There is no body.
    NoData,
    /// Another user has this name.
    UsernameTaken,
    /// Another event has this name.
    EventNameTaken,
    /// Another login token has this value.
    LoginTokenTaken,
    /// Another API token has this name.
    ApiTokenNameTaken,
    /// The event has a floor already.
    FloorTaken,
    /// Relayed media cannot be archived.
    RelayedArchive,
    /// The user owns events, so they cannot be deleted yet.
    OwnsEvents,
    /// This is not the present password.
    WrongPassword,
    /// The new password is one of the most common ones.
    TooCommon,
    /// The two new passwords differ.
    PasswordMismatch,
    /// The name or the password is wrong.
    WrongCredentials,
    /// The user is blocked.
    Blocked,
    /// The token cannot be refreshed, because it has expired.
    TokenExpired,
    /// The token was not signed by Greenroom.
    TokenUndecodable,
    /// The token's user was deleted.
    TokenUserGone,
    /// The first token of the login was issued too long ago.
    RefreshExpired,
    /// It is not a cursor of this list.
    NoCursor,
    /// It is not a number of seconds, or more than this.
    NoSeconds(u64),
}

impl Problem {
    fn text(&self) -> String {
        let text = match self {
            Self::Required => "This field is required.",
            Self::Blank => "This field may not be blank.",
            Self::Null => "This field may not be null.",
            Self::NoText => "Not a valid string.",
            Self::NoBoolean(value) => return format!("\"{value}\" is not a valid boolean."),
            Self::NoChoice(value) => return format!("\"{value}\" is not a valid choice."),
            Self::TooLong(max) => return format!("Ensure this field has no more than {max} characters."),
            Self::TooShort(min) => return format!("Ensure this field has at least {min} characters."),
            Self::TooManyBytes(max) => return format!("Ensure this field has no more than {max} bytes."),
            Self::TooMany(max) => return format!("Ensure this field has no more than {max} elements."),
            Self::NoEmail => "Enter a valid email address.",
            Self::InvalidPk(pk) => return format!("Invalid pk \"{pk}\" - object does not exist."),
            Self::NoPk(kind) => return format!("Incorrect type. Expected pk value, received {kind}."),
            Self::NoList(kind) => return format!("Expected a list of items but got type \"{kind}\"."),
            Self::NoObject(kind) => return format!("Invalid data. Expected a dictionary, but got {kind}."),
            Self::NoSeconds(max) => return format!("Enter a whole number of seconds, from 0 to {max}."),
            Self::NoCursor => "Not a cursor of this list.",
            Self::NoData => "No data provided",
            Self::UsernameTaken => "A user with that username already exists.",
            Self::EventNameTaken => "event with this name already exists.",
            Self::LoginTokenTaken => "login token with this token already exists.",
            Self::ApiTokenNameTaken => "api token with this name already exists.",
            Self::FloorTaken => "Only one session per event may have this flag set to true.",
            Self::RelayedArchive => "May not be true if media mode is relayed.",
            Self::OwnsEvents => "This user still owns events.",
            Self::WrongPassword => "The current password is not correct.",
            Self::TooCommon => "This password is too common.",
            Self::PasswordMismatch => "The two passwords do not match.",
            Self::WrongCredentials => "Unable to login with provided credentials.",
            Self::Blocked => "User account is blocked.",
            Self::TokenExpired => "Signature has expired.",
            Self::TokenUndecodable => "Error decoding signature.",
            Self::TokenUserGone => "User doesn't exist.",
            Self::RefreshExpired => "Refresh has expired.",
        };
        text.to_owned()
    }
}

greenroom_core::opaque!(Problem);

/// The problems of a request's fields: messages by field, nested as the request is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventsFieldErrors, value_type = Object, example = json!({"name": ["This field is required."]}))]
pub struct FieldErrors(Map<String, Value>);

greenroom_core::opaque!(FieldErrors);

impl FieldErrors {
    /// One problem of one field.
    #[must_use]
    pub fn one(field: &str, problem: &Problem) -> Self {
        let mut errors = Self::default();
        errors.add(field, problem);
        errors
    }

    /// Adds a problem of a field.
    pub fn add(&mut self, field: &str, problem: &Problem) {
        let messages = self.0.entry(field).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(messages) = messages.as_array_mut() {
            messages.push(Value::String(problem.text()));
        }
    }

    /// Adds the problems of an object's fields.
    pub fn nest(&mut self, field: &str, errors: Self) {
        if !errors.is_empty() {
            self.0.insert(field.to_owned(), Value::Object(errors.0));
        }
    }

    /// Whether there are no problems.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
