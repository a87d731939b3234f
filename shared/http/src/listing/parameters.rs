//! The parameters of lists in the OpenAPI document.

use serde_json::Value;
use utoipa::{
    IntoParams, ToSchema,
    openapi::{
        ObjectBuilder, Ref, RefOr, Required, Type,
        path::{Parameter, ParameterBuilder, ParameterIn},
        schema::{ArrayItems, Object, Schema, SchemaType},
    },
};

use super::{LIMIT, LIMIT_MAX, ListQuery, Listed};

impl<T: Listed + ToSchema> IntoParams for ListQuery<T> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = "The number of results on a page. More than 1,000 counts as 1,000. Any other text than a whole \
            number above 0 counts as 100";
        let offset = "The number of pages to skip. Any other text than a whole number counts as 0";
        let cursor = "Where the page begins, in place of `offset`: the cursor in the `Link` header of the page before";
        let whole = |minimum: usize| ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(minimum));
        let text = ObjectBuilder::new().schema_type(Type::String);
        let mut parameters = vec![
            parameter("limit", limit, whole(1).maximum(Some(LIMIT_MAX)).default(Some(LIMIT.into())), Some(50.into())),
            parameter("offset", offset, whole(0).default(Some(0.into())), Some(0.into())),
            parameter("cursor", cursor, text, Some("ZGVmYXVsdA".into())),
        ];
        if let RefOr::T(Schema::Object(Object { properties, .. })) = T::schema() {
            let mut types = Vec::new();
            T::schemas(&mut types);
            parameters.extend(T::FILTERS.iter().filter_map(|name| Some(filter(name, properties.get(*name)?, &types))));
        }
        parameters
    }
}

fn parameter(name: &str, description: &str, schema: impl Into<RefOr<Schema>>, example: Option<Value>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .example(example)
        .build()
}

/// The parameter that filters a list by this field. `types` are the schemas that fields refer to.
fn filter(name: &str, field: &RefOr<Schema>, types: &[(String, RefOr<Schema>)]) -> Parameter {
    match field {
        RefOr::T(Schema::Array(list)) => {
            let ArrayItems::RefOrSchema(items) = &list.items else { return only(name, "has", field.clone(), None) };
            let example = list.example.as_ref().map(|example| example[0].clone());
            only(name, "has", (**items).clone(), example)
        }
        RefOr::T(Schema::Object(value)) => only(name, "is", kind(value), value.example.clone()),
        RefOr::Ref(Ref { ref_location, .. }) => {
            let named = types.iter().find(|(name, _)| ref_location.ends_with(&format!("/{name}")));
            let example = named.and_then(|(_, schema)| match schema {
                RefOr::T(Schema::Object(value)) => {
                    let first = || value.enum_values.as_ref()?.first().cloned();
                    value.example.clone().or_else(first)
                }
                _ => None,
            });
            only(name, "is", Ref::new(ref_location.clone()), example)
        }
        RefOr::T(_) => only(name, "is", field.clone(), None),
    }
}

fn only(name: &str, relation: &str, schema: impl Into<RefOr<Schema>>, example: Option<Value>) -> Parameter {
    parameter(name, &format!("Only those whose `{name}` {relation} this value"), schema, example)
}

/// The type of a field's values, without their limits and without null.
fn kind(field: &Object) -> RefOr<Schema> {
    let kind = match &field.schema_type {
        SchemaType::Array(kinds) => kinds.iter().find(|kind| **kind != Type::Null).cloned().unwrap_or_default().into(),
        kind => kind.clone(),
    };
    ObjectBuilder::new().schema_type(kind).build().into()
}
