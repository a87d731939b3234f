//! Declaring a function's routes.

/// Declares a function's routes from its handlers, whose `utoipa::path` attributes carry method and path.
///
/// `routes()` has them with their OpenAPI document, for the local gateway and for whatever is made of or checked against
/// the document. `router()` has them without it, for Lambda: making a document that nobody reads there would take longer
/// than everything else of ours before the first request.
#[macro_export]
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {
        /// The routes this function serves, with their OpenAPI document.
        #[must_use]
        pub fn routes() -> ::utoipa_axum::router::OpenApiRouter<$crate::App> {
            ::utoipa_axum::router::OpenApiRouter::new()$(.routes(::utoipa_axum::routes!($handler)))+
        }

        /// The same routes, without it.
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
    };
}
