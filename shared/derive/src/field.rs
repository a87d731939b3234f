//! The fields of an entity.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, Error, Ident, Meta, Result, Token, Type, punctuated::Punctuated};

/// A field, as its entity declares it.
pub(crate) struct Field<'a> {
    pub(crate) ident: &'a Ident,
    /// Its name in JSON.
    pub(crate) name: String,
    /// Whether answers have it.
    pub(crate) is_shown: bool,
    ty: &'a Type,
    /// Its documentation and its schema.
    described: Vec<&'a Attribute>,
    /// How a request gives it; `None` if no request can set it.
    given: Option<Given>,
    /// The limits of its values, as fields of `model::entity::Field`.
    limits: Vec<TokenStream>,
}

/// How a request gives a field.
struct Given {
    is_required: bool,
    /// The method that reads it.
    reader: Ident,
}

impl<'a> Field<'a> {
    pub(crate) fn parse(field: &'a syn::Field) -> Result<Self> {
        let ident = field.ident.as_ref().ok_or_else(|| Error::new_spanned(field, "a field has a name"))?;
        let with = |name: &'static str| field.attrs.iter().filter(move |attribute| attribute.path().is_ident(name));
        let mut schema = Vec::new();
        for attribute in with("schema") {
            schema.extend(attribute.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)?);
        }
        Ok(Self {
            ident,
            name: camel_case(&ident.to_string()),
            is_shown: !schema.iter().any(|meta| meta.path().is_ident("ignore")),
            ty: &field.ty,
            described: with("doc").chain(with("schema")).collect(),
            given: with("given").next().map(Given::parse).transpose()?,
            limits: schema.iter().filter_map(limit).collect(),
        })
    }

    /// Its declaration among the fields that a request can set.
    pub(crate) fn declared(&self) -> Option<TokenStream> {
        let Self { ident, ty, described, .. } = self;
        let Given { is_required, reader } = self.given.as_ref()?;
        // Answers may have an empty text in place of an address.
        let format = (reader == "email").then(|| quote! { format = "email", });
        Some(quote! {
            #(#described)*
            #[schema(value_type = #ty, #format required = #is_required)]
            pub #ident: ::std::option::Option<#ty>
        })
    }

    /// The expression that reads it from a request.
    pub(crate) fn read(&self) -> Option<TokenStream> {
        let Self { ident, name, limits, .. } = self;
        let Given { is_required, reader } = self.given.as_ref()?;
        Some(quote! {
            #ident: reader.#reader(&crate::model::entity::Field {
                is_required: #is_required,
                #(#limits,)*
                ..crate::model::entity::Field::named(#name)
            })
        })
    }

    /// The statement that sets it if the request gives it.
    pub(crate) fn set(&self) -> Option<TokenStream> {
        let ident = self.ident;
        self.given.as_ref()?;
        Some(quote! {
            if let ::std::option::Option::Some(value) = &given.#ident {
                entity.#ident.clone_from(value);
            }
        })
    }
}

impl Given {
    fn parse(attribute: &Attribute) -> Result<Self> {
        let words: Vec<_> =
            attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?.into_iter().collect();
        match words.as_slice() {
            [reader] => Ok(Self { is_required: false, reader: reader.clone() }),
            [required, reader] if required == "required" => Ok(Self { is_required: true, reader: reader.clone() }),
            _ => Err(Error::new_spanned(attribute, "expected a method of `FieldReader`, or `required` and one")),
        }
    }
}

/// A part of a schema that limits the values of its field.
fn limit(meta: &Meta) -> Option<TokenStream> {
    let Meta::NameValue(limit) = meta else { return None };
    let (key, value) = (limit.path.get_ident()?, limit.value.to_token_stream());
    match key.to_string().as_str() {
        "min_length" | "max_length" | "max_items" => Some(quote! { #key: #value }),
        "pattern" => Some(quote! { may_be_blank: false }),
        _ => None,
    }
}

fn camel_case(snake_case: &str) -> String {
    let mut words = snake_case.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let mut chars = word.chars();
        name + &chars.next().map(|char| char.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    })
}
