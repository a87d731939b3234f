//! What no route answers: unknown paths, and methods that a path does not serve.

use std::sync::{Arc, LazyLock};

use axum::{
    extract::{FromRequestParts, Request},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value};
use utoipa::openapi::{HttpMethod, OpenApi};

use crate::{
    App,
    auth::{Backend, Client, Operator, Organiser, Participant},
    dialect::{Api, events},
    error::Error,
    model::permission::Action,
};

/// A path that a function serves, and with which methods.
pub type Served = (String, Vec<HttpMethod>);

/// Every path with its methods, as the OpenAPI document has them. Made when something falls back for the first time: most
/// functions never need it.
#[derive(Clone)]
pub struct RouteTable(Arc<LazyLock<Table, Box<dyn FnOnce() -> Table + Send>>>);

/// The value of `Allow` by path.
type Table = matchit::Router<String>;

impl RouteTable {
    /// The paths and methods of this document.
    #[must_use]
    pub fn of(document: impl FnOnce() -> OpenApi + Send + 'static) -> Self {
        Self::from_paths(move || serde_json::to_value(&document().paths).unwrap_or_default())
    }

    /// The paths and methods of a function's routes.
    #[must_use]
    pub fn of_routes(routes: fn() -> Vec<Served>) -> Self {
        Self::from_paths(move || paths(routes()))
    }

    /// The paths and methods of the `paths` of an OpenAPI document.
    #[must_use]
    pub fn from_paths(paths: impl FnOnce() -> Value + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(move || table(&paths())))))
    }

    /// The methods a path is served with; `None` where it is not served at all.
    fn allow(&self, path: &str) -> Option<String> {
        self.0.at(path.trim_end_matches('/')).ok().map(|found| found.value.clone())
    }
}

/// Routes in the form of the `paths` of an OpenAPI document.
fn paths(routes: Vec<Served>) -> Value {
    let mut paths = Map::new();
    for (path, methods) in routes {
        let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
        for method in methods.iter().filter_map(|method| serde_json::to_value(method).ok()) {
            item[method.as_str().unwrap_or_default()] = Value::Null;
        }
    }
    Value::Object(paths)
}

fn table(paths: &Value) -> Table {
    let mut table = Table::new();
    for (path, item) in paths.as_object().into_iter().flatten() {
        let methods = ["get", "post", "put", "patch", "delete"].into_iter();
        let allow: Vec<_> = methods.filter(|method| item.get(method).is_some()).map(str::to_uppercase).collect();
        // Two paths that collide would have kept the router from being built before.
        let _ = table.insert(path, allow.join(", "));
    }
    table
}

/// Answers in the dialect of the API that the path belongs to, whose credentials come before the method.
pub async fn fallback(table: RouteTable, app: App, request: Request) -> Response {
    let api = Api::of(request.uri().path());
    let error = match table.allow(request.uri().path()) {
        // What is served, though not here, has another address.
        Some(allow) if allow.split(", ").any(|served| request.method() == served) => Error::RouteNotFound,
        Some(allow) => Error::MethodNotAllowed { allow },
        None => Error::RouteNotFound,
    };
    let mut parts = request.into_parts().0;
    match (api, error) {
        (Api::OpenVidu, error) => match Backend::from_request_parts(&mut parts, &app).await {
            Ok(_) => api.refuse(error),
            Err(refused) => refused.into_response(),
        },
        // Without credentials, and of any path.
        (Api::Streams, _) if parts.method == Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        (Api::Streams, error) => match Operator::from_request_parts(&mut parts, &app).await {
            Ok(_) => api.refuse(error),
            Err(refused) => refused.into_response(),
        },
        (Api::Events, Error::MethodNotAllowed { allow }) => match identify(&mut parts, &app).await {
            Ok(()) => events::Error::MethodNotAllowed { method: parts.method, allow }.into_response(),
            Err(refused) => refused.into_response(),
        },
        (Api::Conversation, Error::MethodNotAllowed { .. }) if parts.method == Method::OPTIONS => {
            StatusCode::OK.into_response()
        }
        (Api::Device | Api::Events | Api::Conversation, error) => api.refuse(error),
    }
}

/// Asks for the credentials that an endpoint of `/api/v2` is guarded by.
async fn identify(parts: &mut Parts, app: &App) -> Result<(), events::Error> {
    if parts.uri.path().starts_with(events::WEBHOOKS) {
        return Ok(());
    }
    let path = parts.uri.path().strip_prefix(events::ROOT).unwrap_or_default();
    match path.split('/').nth(1) {
        Some("token-auth") => Ok(()),
        Some("rtcsessions") => Participant::from_request_parts(parts, app).await.map(drop),
        Some("networktestsessions" | "networktestsession" | "bookingemails") => {
            Client::from_request_parts(parts, app).await.map(drop)
        }
        Some("apitokens") => {
            let Organiser(caller) = Organiser::from_request_parts(parts, app).await?;
            // The role comes before the method.
            if caller.may(Action::ManageApiTokens) { Ok(()) } else { Err(events::Error::Forbidden) }
        }
        _ => Organiser::from_request_parts(parts, app).await.map(drop),
    }
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro is for whole packages, which others use")]

    use super::*;

    #[utoipa::path(get, path = "/things/{id}")]
    async fn read() {}

    #[utoipa::path(delete, path = "/things/{id}")]
    async fn remove() {}

    #[utoipa::path(post, path = "/things")]
    async fn make() {}

    crate::routes!(read, remove, make);

    #[test]
    fn routes_without_their_document_allow_what_it_says() {
        let documented = RouteTable::of(|| routes().into_openapi());
        let bare = RouteTable::of_routes(paths);
        let allowed = [Some("GET, DELETE"), Some("POST"), None];
        for table in [documented, bare] {
            assert_eq!(
                ["/things/7/", "/things", "/"].map(|path| table.allow(path)).each_ref().map(Option::as_deref),
                allowed
            );
        }
        let _ = router();
    }
}
