//! Functions, and the macro that declares their routes.

use axum::Router;
use greenroom_core::config::Setting;
use utoipa::openapi::security::SecurityRequirement;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{App, auth::Scheme};

/// A function: its name, its routes and its settings.
pub struct Function {
    /// The name of its binary.
    pub name: &'static str,
    /// Its routes. There are none if API Gateway does not invoke it.
    pub routes: OpenApiRouter<App>,
    /// The same routes without their document, as Lambda serves them.
    pub router: Router<App>,
    /// Its settings.
    pub settings: &'static [Setting],
}

/// The route of a handler, with the schemes of its callers in its document.
pub fn documented(declared: UtoipaMethodRouter<App>, schemes: &[Option<Scheme>]) -> UtoipaMethodRouter<App> {
    let (components, mut paths, served) = declared;
    for item in paths.paths.values_mut() {
        let operations =
            [&mut item.get, &mut item.head, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            operation.security = Some(requirements(schemes));
        }
    }
    (components, paths, served)
}

/// These schemes as an operation's `security`.
pub(crate) fn requirements(schemes: &[Option<Scheme>]) -> Vec<SecurityRequirement> {
    let one = |scheme: Scheme| SecurityRequirement::new::<_, [&str; 0], _>(scheme.name(), []);
    schemes.iter().map(|scheme| scheme.map(one).unwrap_or_default()).collect()
}

/// Declares a function's routes from its handlers. Their `utoipa::path` attributes have the methods and paths, and
/// their first arguments say who may call ([`Caller`](crate::auth::Caller)).
///
/// Call it beside the function's `SETTINGS`. `function()` returns the name, the routes and the settings, for the
/// command and the tests. `routes()` returns the routes with their OpenAPI document, for the local gateway and for
/// tests of the document. `router()` returns them without it, for Lambda: making a document that nobody reads there
/// would take longer than everything else of ours before the first request. `paths()` only lists them, so that a
/// function's package contains nothing of the document.
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        /// This function, called as its package is without the project's name.
        #[must_use]
        pub fn function() -> $crate::Function {
            let package = env!("CARGO_PKG_NAME");
            let name = package.strip_prefix("greenroom-").unwrap_or(package);
            $crate::Function { name, routes: routes(), router: router(), settings: SETTINGS }
        }

        /// The routes of this function, with their OpenAPI document.
        #[must_use]
        pub fn routes() -> ::utoipa_axum::router::OpenApiRouter<$crate::App> {
            ::utoipa_axum::router::OpenApiRouter::new()$(
                .routes($crate::documented(::utoipa_axum::routes!($handler), $crate::auth::schemes(&$handler)))
            )+
        }

        /// The same routes, without the document.
        pub fn router() -> ::axum::Router<$crate::App> {
            use ::utoipa::Path as _;
            use ::utoipa_axum::PathItemExt as _;

            let router = ::axum::Router::new();
            $(let router = ::utoipa_axum::paste! {
                [<__path_ $handler>]::methods().iter().fold(router, |router, method| {
                    let handler = ::axum::routing::on(method.to_method_filter(), $handler);
                    router.route(&[<__path_ $handler>]::path(), handler)
                })
            };)+
            router
        }

        /// The paths and methods of the same routes, and who may call them.
        #[must_use]
        pub fn paths() -> ::std::vec::Vec<$crate::Served> {
            use ::utoipa::Path as _;

            ::std::vec![$(::utoipa_axum::paste! {
                $crate::Served {
                    path: [<__path_ $handler>]::path(),
                    methods: [<__path_ $handler>]::methods(),
                    schemes: $crate::auth::schemes(&$handler),
                }
            }),+]
        }
    };
}
