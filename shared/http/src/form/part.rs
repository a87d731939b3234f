//! New parts of events.

use std::borrow::Cow;

use greenroom_core::model::{Event, User, entity::Entity};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use super::{Form, value::number};
use crate::{App, dialect::events::Error};

/// The field that names the event.
const EVENT: &str = "event";

/// A session or a login token to be made: its event, which no later request changes, and its other fields.
pub struct NewPart<T: Entity> {
    /// The event. `None` if the request names none that the caller may see, which the form has as a problem.
    pub event: Option<Event>,
    /// The fields that later requests can change too.
    pub fields: T::Fields,
}

impl<T: Entity> NewPart<T> {
    /// Reads a part that this caller makes.
    pub async fn read(app: &App, caller: &User, form: &mut Form) -> Result<Self, Error> {
        let event = match form.required(EVENT, number) {
            Some(given) => {
                let event = app.store.event_seen_by(caller, given.id).await?;
                if event.is_none() {
                    form.refuse(EVENT, &given.unknown());
                }
                event
            }
            None => None,
        };
        Ok(Self { event, fields: T::read(form) })
    }
}

impl<T: Entity + ToSchema> ToSchema for NewPart<T>
where
    T::Fields: ToSchema,
{
    fn name() -> Cow<'static, str> {
        format!("New{}", T::name()).into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::Fields::schemas(schemas);
    }
}

impl<T: Entity + ToSchema> PartialSchema for NewPart<T>
where
    T::Fields: ToSchema,
{
    fn schema() -> RefOr<Schema> {
        let mut schema = T::Fields::schema();
        if let (RefOr::T(Schema::Object(body)), RefOr::T(Schema::Object(entity))) = (&mut schema, T::schema()) {
            let event = entity.properties.into_iter().filter(|(name, _)| name == EVENT);
            body.properties.extend(event);
            body.required.push(EVENT.to_owned());
        }
        schema
    }
}
