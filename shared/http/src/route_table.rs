//! The paths and methods that are served, and how a gateway's prefix is told from them.

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock},
};

use axum::http::Method;
use serde_json::{Map, Value, json};
use utoipa::openapi::{HttpMethod, OpenApi};

use super::{
    address::is_prefix,
    auth::{Scheme, Schemes},
    routes::requirements,
};

/// A path that a handler serves.
pub struct Served {
    /// The path.
    pub path: String,
    /// Its methods.
    pub methods: Vec<HttpMethod>,
    /// How its callers authenticate.
    pub schemes: Schemes,
}

/// Every path with its methods, as the OpenAPI document has them. It is made when it is first needed.
#[derive(Clone)]
pub struct RouteTable(Arc<LazyLock<Table, Box<dyn FnOnce() -> Table + Send>>>);

/// What is served at a path.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// The value of `Allow`.
    pub(super) allow: String,
    /// The ways to authenticate. A caller needs one of them. If the list is empty, anybody may call.
    pub(super) schemes: Vec<Scheme>,
}

impl Endpoint {
    /// Whether it is served with this method.
    pub(super) fn takes(&self, method: &Method) -> bool {
        self.allow.split(", ").any(|served| method == served)
    }
}

#[derive(Default)]
struct Table {
    endpoints: matchit::Router<Endpoint>,
    /// The beginnings of paths: their first segment, and their first two if the second is no parameter.
    beginnings: BTreeSet<String>,
}

impl RouteTable {
    /// The table for this document.
    #[must_use]
    pub fn of(document: impl FnOnce() -> OpenApi + Send + 'static) -> Self {
        Self::from_paths(move || serde_json::to_value(&document().paths).unwrap_or_default())
    }

    /// The table for a function's routes.
    #[must_use]
    pub fn of_routes(routes: fn() -> Vec<Served>) -> Self {
        Self::from_paths(move || paths(routes()))
    }

    /// The table for the `paths` of an OpenAPI document.
    #[must_use]
    pub fn from_paths(paths: impl FnOnce() -> Value + Send + 'static) -> Self {
        Self(Arc::new(LazyLock::new(Box::new(move || table(&paths())))))
    }

    /// What is served at a path; `None` if nothing is.
    pub(super) fn at(&self, path: &str) -> Option<&Endpoint> {
        self.0.at(path)
    }

    /// Splits a path that came through a gateway into the gateway's prefix, which is a stage or the base path of a
    /// custom domain, and our own path. `template` is the path of the gateway's route, if the gateway says it.
    ///
    /// No gateway says how long its prefix is, so our part is what one of our routes matches. The caller may choose the
    /// path, but gains nothing: everything after this, credentials and the API's dialect too, depends on our part
    /// alone.
    #[must_use]
    pub fn split<'a>(&self, path: &'a str, template: Option<&str>) -> (&'a str, &'a str) {
        let splits = || {
            let splits = path.match_indices('/').map(|(at, _)| path.split_at(at));
            splits.filter(|(prefix, _)| is_base_path(prefix))
        };
        let serves = |path: &str| self.0.at(path).is_some();
        if template == Some("/") && serves("/") {
            // Only the end of the path is ours.
            let prefix = path.trim_end_matches('/');
            return if is_base_path(prefix) { (prefix, "/") } else { ("", path) };
        }
        // A template that ends in a greedy parameter does not tell the length.
        if let Some(length) = template.filter(|path| path.starts_with('/') && !path.contains("+}")).map(segments)
            && let Some(split) = splits().find(|(_, own)| segments(own) == length && serves(own))
        {
            return split;
        }
        // A path that begins as specifically as one of ours is ours, even if nothing is served there.
        if serves(path) || self.0.likeness(path) == 2 {
            return ("", path);
        }
        let likest = || splits().rev().max_by_key(|(_, own)| self.0.likeness(own));
        let likest = || likest().filter(|(_, own)| self.0.likeness(own) > 0);
        // Otherwise any path that ends in a slash would be the root's.
        splits().find(|(_, own)| *own != "/" && serves(own)).or_else(likest).unwrap_or(("", path))
    }
}

impl Table {
    fn at(&self, path: &str) -> Option<&Endpoint> {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        self.endpoints.at(path).ok().map(|found| found.value)
    }

    /// The number of leading segments that a path shares with one of ours, at most two.
    fn likeness(&self, path: &str) -> usize {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).skip(1).take(2);
        ends.filter(|end| self.beginnings.contains(&path[..*end])).count()
    }
}

/// The number of segments of a path.
fn segments(path: &str) -> usize {
    path.trim_end_matches('/').matches('/').count()
}

/// Whether a gateway may have put this prefix before our paths. Links then begin with it.
fn is_base_path(prefix: &str) -> bool {
    prefix.is_empty() || (is_prefix(prefix) && !prefix.contains("//") && !prefix.ends_with('/'))
}

/// Routes in the form of the `paths` of an OpenAPI document.
fn paths(routes: Vec<Served>) -> Value {
    let mut paths = Map::new();
    for Served { path, methods, schemes } in routes {
        let item = paths.entry(path).or_insert_with(|| Value::Object(Map::new()));
        for method in methods.iter().filter_map(|method| serde_json::to_value(method).ok()) {
            item[method.as_str().unwrap_or_default()] = json!({ "security": requirements(schemes) });
        }
    }
    Value::Object(paths)
}

fn table(paths: &Value) -> Table {
    let mut table = Table::default();
    for (path, item) in paths.as_object().into_iter().flatten() {
        let methods = ["get", "head", "post", "put", "patch", "delete"].into_iter();
        let served: Vec<_> = methods.filter_map(|method| Some((method, item.get(method)?))).collect();
        let allow: Vec<_> = served.iter().map(|(method, _)| method.to_uppercase()).collect();
        let schemes = served.iter().flat_map(|(_, operation)| schemes(operation)).collect();
        // A collision of two paths would have kept the router from being built before.
        let _ = table.endpoints.insert(path, Endpoint { allow: allow.join(", "), schemes });
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]).skip(1).take(2);
        let beginnings = ends.map(|end| &path[..end]).filter(|beginning| !beginning.contains('{') && *beginning != "/");
        table.beginnings.extend(beginnings.map(str::to_owned));
    }
    table
}

/// The schemes of an operation's `security`.
fn schemes(operation: &Value) -> impl Iterator<Item = Scheme> {
    let names = operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    let names = names.flat_map(Map::keys);
    names.filter_map(|name| Scheme::ALL.into_iter().find(|scheme| scheme.name() == name))
}

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "the macro is for whole packages, which others use")]

    use axum::extract::State;
    use rstest::rstest;

    use super::*;
    use crate::{
        App,
        auth::{Anyone, Organiser},
    };

    #[utoipa::path(get, path = "/things/{id}")]
    async fn read(_: Organiser) {}

    #[utoipa::path(delete, path = "/things/{id}")]
    async fn remove(State(_app): State<App>, _: Organiser) {}

    #[utoipa::path(post, path = "/things")]
    async fn make(_: Anyone) {}

    const SETTINGS: &[greenroom_core::config::Setting] = &[];

    crate::routes!(read, remove, make);

    #[test]
    fn a_function_is_called_as_its_package_without_the_projects_name() {
        let function = function();
        assert_eq!((function.name, function.settings.len()), ("http", 0));
    }

    #[test]
    fn routes_without_their_document_serve_what_it_says() {
        let documented = RouteTable::of(|| routes().into_openapi());
        let bare = RouteTable::of_routes(paths);
        for table in [documented, bare] {
            let served = ["/things/7/", "/things", "/"].map(|path| {
                table.at(path).map(|Endpoint { allow, schemes }| (allow.as_str(), schemes.contains(&Scheme::Jwt)))
            });
            assert_eq!(served, [Some(("GET, DELETE", true)), Some(("POST", false)), None]);
        }
        let _ = router();
    }

    /// A table with paths of several APIs.
    fn whole() -> RouteTable {
        let paths =
            ["/api/v2", "/api/v2/users", "/api/v2/users/{id}", "/api/sessions", "/api/sessions/{id}", "/v1/admission"];
        RouteTable::from_paths(move || paths.iter().map(|path| ((*path).to_owned(), json!({"get": null}))).collect())
    }

    #[rstest]
    #[case::at_the_root("/api/v2/users", None, "")]
    #[case::at_the_root_with_a_slash("/api/v2/users/", Some("/api/v2/users/"), "")]
    #[case::behind_a_stage("/prod/api/v2/users/7", Some("/api/v2/users/{id}"), "/prod")]
    #[case::behind_a_stage_of_a_greedy_route("/prod/api/v2/users/7", Some("/{proxy+}"), "/prod")]
    #[case::behind_a_base_path("/media/v1/api/v2/users", Some("$default"), "/media/v1")]
    #[case::behind_one_of_our_own_words("/api/api/v2/users", None, "/api")]
    #[case::behind_another_of_our_own_words("/v1/api/sessions/daily", None, "/v1")]
    #[case::behind_a_whole_path_of_ours("/api/v2/api/v2/users", Some("/api/v2/users"), "/api/v2")]
    #[case::what_begins_like_ours_is_ours("/api/v2/api/v2/users", Some("$default"), "")]
    #[case::not_found_behind_a_stage("/prod/api/v2/nothing", None, "/prod")]
    #[case::not_found_behind_one_of_our_own_words("/v1/api/v2/nothing", None, "/v1")]
    #[case::not_found_at_the_root("/nothing", None, "")]
    #[case::nothing_that_could_not_be_in_a_link("/%2e%2e/api/v2/users", None, "")]
    #[case::no_empty_segment("//api/v2/users", None, "")]
    #[case::nor_one_that_is_folded("/../api/v2/users", None, "")]
    #[case::nothing("/", None, "")]
    fn a_path_is_parted_where_ours_begins(#[case] path: &str, #[case] template: Option<&str>, #[case] prefix: &str) {
        assert_eq!(whole().split(path, template), path.split_at(prefix.len()));
    }
}
