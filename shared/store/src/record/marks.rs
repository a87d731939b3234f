//! Marks in the counter item of a user's list of events. They say whether events can list the user as a manager.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, builders::UpdateBuilder};

use super::{Conflict, Kind, Parent, Write, head, list_of};
use crate::{Store, StoreError};

impl Store {
    /// The write that marks a user as leaving: no event can list them any more, and they leave the events that they
    /// manage.
    pub(crate) fn no_managing(&self, user: u64) -> Result<Write, StoreError> {
        let update = self.marking(user).update_expression("SET leaving = :true");
        let update = update.condition_expression("attribute_exists(PK) AND attribute_not_exists(sealed)");
        changing(update.expression_attribute_values(":true", AttributeValue::Bool(true)))
    }

    /// The write that lets a user manage events again, on condition that they have left all that they managed.
    pub(crate) fn managing_again(&self, user: u64) -> Result<Write, StoreError> {
        let left = "attribute_exists(PK) AND attribute_not_exists(sealed) AND attribute_not_exists(#managed)";
        let update = self.marking(user).update_expression("REMOVE leaving").condition_expression(left);
        changing(update.expression_attribute_names("#managed", "managed"))
    }

    /// The write that takes these events off a user's list, on condition that the user is to leave them.
    pub(crate) fn leaving(&self, user: u64, events: &[u64]) -> Result<Write, StoreError> {
        let events = AttributeValue::Ns(events.iter().map(ToString::to_string).collect());
        let update = self.marking(user).update_expression("DELETE #managed :events");
        let update = update.condition_expression("attribute_exists(leaving) OR attribute_exists(sealed)");
        let update = update.expression_attribute_names("#managed", "managed");
        changing(update.expression_attribute_values(":events", events))
    }

    fn marking(&self, user: u64) -> UpdateBuilder {
        self.updating(head(list_of(Parent::User(user), Kind::Event)))
    }
}

fn changing(update: UpdateBuilder) -> Result<Write, StoreError> {
    Ok(Write { item: TransactWriteItem::builder().update(update.build()?).build(), fails_as: Conflict::Changed })
}
