//! Which function handles a request.

use std::collections::BTreeMap;

use axum::{Router, extract::Request, middleware::map_request};

use super::guard::call_of;

/// The function for requests that no route matches.
const FALLBACK: &str = "fallback";

/// The function of each path and method, as API Gateway has it.
#[derive(Clone, Default)]
pub struct Routes(BTreeMap<String, BTreeMap<String, String>>, matchit::Router<String>);

impl Routes {
    /// The routes, each given as its function, its method in upper case and its path.
    pub fn of(routes: impl IntoIterator<Item = (String, String, String)>) -> Result<Self, matchit::InsertError> {
        let mut all = Self::default();
        for (function, method, path) in routes {
            if !all.0.contains_key(&path) {
                all.1.insert(path.clone(), path.clone())?;
            }
            all.0.entry(path).or_default().insert(method, function);
        }
        Ok(all)
    }

    /// Has each request to a service belong to the function that handles it, as [`call_of`] says.
    pub fn attribute(&'static self, service: Router) -> Router {
        service.layer(map_request(async |mut request: Request| {
            let function = self.function(request.method().as_str(), request.uri().path());
            request.extensions_mut().insert(call_of(function));
            request
        }))
    }

    /// The function that handles a request with this method and path.
    #[must_use]
    pub fn function(&self, method: &str, path: &str) -> &str {
        let path = match path.trim_end_matches('/') {
            "" => "/",
            path => path,
        };
        let methods = self.1.at(path).ok().and_then(|found| self.0.get(found.value));
        methods.and_then(|methods| methods.get(method)).map_or(FALLBACK, String::as_str)
    }
}
