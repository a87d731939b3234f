//! `#[derive(Entity)]`: an entity of `/api/v2` declares each of its fields once, in its struct.
//!
//! It is for structs of `greenroom-core`, whose `model::entity` has the traits that it implements.

mod field;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Error, Fields, Ident, Result, parse_macro_input};

use field::Field;

/// Implements `Entity` for a struct, and declares a struct with the fields of it that a request can set.
///
/// `#[given(…)]` marks a field that a request can set, and names the method of `FieldReader` that reads it. With
/// `required` before it, POST and PUT have to give the field. The limits of a field come from its `#[schema(…)]`: a
/// text with a `pattern` must not be blank. Answers show every field but those with `#[schema(ignore)]`.
///
/// ```ignore
/// #[derive(Clone, Serialize, Deserialize, ToSchema, Entity)]
/// #[serde(rename_all = "camelCase")]
/// #[entity(body = NewEvent)]
/// pub struct Event {
///     /// Counts from 1.
///     pub id: u64,
///     /// The name that its organisers use.
///     #[schema(max_length = 255, pattern = r"\S")]
///     #[given(required, text)]
///     pub name: String,
///     /// Whether nobody may join.
///     #[given(boolean)]
///     pub disabled: bool,
/// }
/// ```
///
/// declares, beside the implementation of `Entity`,
///
/// ```ignore
/// #[derive(ToSchema)]
/// #[schema(as = NewEvent, rename_all = "camelCase")]
/// pub struct EventFields {
///     /// The name that its organisers use.
///     #[schema(max_length = 255, pattern = r"\S", value_type = String, required = true)]
///     pub name: Option<String>,
///     /// Whether nobody may join.
///     #[schema(value_type = bool, required = false)]
///     pub disabled: Option<bool>,
/// }
/// ```
#[proc_macro_derive(Entity, attributes(entity, given))]
pub fn derive_entity(item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let item = parse_macro_input!(item as DeriveInput);
    expand(&item).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(item: &DeriveInput) -> Result<TokenStream> {
    let Data::Struct(data) = &item.data else { return Err(Error::new_spanned(item, "an entity is a struct")) };
    let Fields::Named(fields) = &data.fields else { return Err(Error::new_spanned(item, "its fields have names")) };
    let fields = fields.named.iter().map(Field::parse).collect::<Result<Vec<_>>>()?;
    let (declared, implemented) = (given_fields(item, &fields)?, entity(&item.ident, &fields));
    Ok(quote! { #declared #implemented })
}

/// The struct with the fields that a request can set.
fn given_fields(item: &DeriveInput, fields: &[Field<'_>]) -> Result<TokenStream> {
    let (name, schema) = (given_name(&item.ident), schema_name(item)?);
    let doc = format!("The fields of [`{}`] that a request can set.", item.ident);
    let description = format!("The fields of an object `{}` that a request can set.", item.ident);
    let fields = fields.iter().filter_map(Field::declared);
    Ok(quote! {
        #[doc = #doc]
        ///
        /// A field is `None` if the request leaves it out or its value is not valid.
        #[derive(::utoipa::ToSchema)]
        #[schema(as = #schema, description = #description, rename_all = "camelCase")]
        pub struct #name { #(#fields),* }
    })
}

fn entity(name: &Ident, fields: &[Field<'_>]) -> TokenStream {
    let given = given_name(name);
    let (read, set) = (fields.iter().filter_map(Field::read), fields.iter().filter_map(Field::set));
    let shown: Vec<_> = fields.iter().filter(|field| field.is_shown).collect();
    let (count, label) = (shown.len(), name.to_string());
    let (names, idents): (Vec<_>, Vec<_>) = shown.iter().map(|field| (&field.name, field.ident)).unzip();
    quote! {
        impl crate::model::entity::Entity for #name {
            type Fields = #given;

            const SHOWN: &'static [&'static str] = &[#(#names),*];

            fn read(reader: &mut impl crate::model::entity::FieldReader) -> Self::Fields {
                #given { #(#read),* }
            }

            fn with(&self, given: &Self::Fields) -> Self {
                let mut entity = self.clone();
                #(#set)*
                entity
            }

            fn serialize_shown<S: ::serde::Serializer>(&self, serializer: S) -> ::std::result::Result<S::Ok, S::Error> {
                use ::serde::ser::SerializeStruct as _;

                let mut shown = serializer.serialize_struct(#label, #count)?;
                #(shown.serialize_field(#names, &self.#idents)?;)*
                shown.end()
            }
        }
    }
}

fn given_name(entity: &Ident) -> Ident {
    format_ident!("{entity}Fields")
}

/// The name in `#[entity(body = …)]`, under which the OpenAPI document has the body of a request.
fn schema_name(item: &DeriveInput) -> Result<Ident> {
    let mut name = None;
    for attribute in item.attrs.iter().filter(|attribute| attribute.path().is_ident("entity")) {
        attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("body") {
                return Err(meta.error("expected `body`"));
            }
            name = Some(meta.value()?.parse()?);
            Ok(())
        })?;
    }
    name.ok_or_else(|| Error::new_spanned(item, "`#[entity(body = …)]` is missing"))
}
