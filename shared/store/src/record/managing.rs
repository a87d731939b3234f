//! Marks in the counter item of a user's list of events. They say whether events can list the user as a manager.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Conflict, Kind, Parent, RecordWrite, first_counter, list_of};
use crate::{Key, write::Write};

fn key(user: u64) -> Key {
    first_counter(list_of(Parent::User(user), Kind::Event))
}

/// The write that marks a user as leaving: no event can list them any more, and they leave the events that they manage.
pub(crate) fn no_managing(user: u64) -> RecordWrite {
    Write::update(key(user), "SET leaving = :true")
        .when("attribute_exists(PK) AND attribute_not_exists(sealed)")
        .value(":true", AttributeValue::Bool(true))
        .fails_as(Conflict::Changed)
}

/// The write that lets a user manage events again, on condition that they have left all that they managed.
pub(crate) fn managing_again(user: u64) -> RecordWrite {
    Write::update(key(user), "REMOVE leaving")
        .when("attribute_exists(PK) AND attribute_not_exists(sealed) AND attribute_not_exists(#managed)")
        .name("#managed", "managed")
        .fails_as(Conflict::Changed)
}

/// The write that takes these events off a user's list, on condition that the user is to leave them.
pub(crate) fn leaving(user: u64, events: &[u64]) -> RecordWrite {
    let events = AttributeValue::Ns(events.iter().map(ToString::to_string).collect());
    Write::update(key(user), "DELETE #managed :events")
        .when("attribute_exists(leaving) OR attribute_exists(sealed)")
        .name("#managed", "managed")
        .value(":events", events)
        .fails_as(Conflict::Changed)
}
