//! A client of the table that refuses what the role of the calling function does not allow.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpClient, HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use greenroom_core::id::{RequestId, random_hex};
use greenroom_telemetry::meter;
use serde_json::json;

use super::{Asked, Roles};

/// The name for a caller that is no function.
const NOBODY: &str = "nobody";

/// The function of each request id.
static CALLS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

thread_local! {
    static SEEN: RefCell<BTreeSet<Use>> = const { RefCell::new(BTreeSet::new()) };
}

/// One action of a function on an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The function.
    pub function: String,
    /// The action, without `dynamodb:`.
    pub action: String,
    /// The item's partition key.
    pub key: String,
}

/// The uses on this thread until now. A test has its thread to itself if its runtime is single-threaded.
#[must_use]
pub fn seen_on_this_thread() -> BTreeSet<Use> {
    SEEN.with_borrow(Clone::clone)
}

/// An id for a request of this function. Operations in the table are attributed to the function by this id.
#[must_use]
pub fn call_of(function: &str) -> RequestId {
    let id = random_hex();
    lock(&CALLS).insert(id.clone(), function.to_owned());
    RequestId(id)
}

/// The function that the current operation belongs to.
fn asking() -> String {
    let meter = meter::current();
    let id = meter.as_ref().and_then(|meter| meter.origin().id.as_ref());
    let function = id.and_then(|RequestId(id)| lock(&CALLS).get(id).cloned());
    function.unwrap_or_else(|| NOBODY.to_owned())
}

/// Refuses operations that a function's role does not allow, and remembers them. If nobody calls
/// [`check`](Self::check), dropping the guard reports them.
pub struct Guard {
    roles: Arc<Roles>,
    refused: Arc<Mutex<Vec<String>>>,
}

greenroom_core::opaque!(Guard);

impl Guard {
    /// A guard with these roles.
    #[must_use]
    pub fn new(roles: Arc<Roles>) -> Self {
        Self { roles, refused: Arc::default() }
    }

    /// A client of the same table with this guard.
    #[must_use]
    pub fn client(&self, client: &Client) -> Client {
        let Some(inner) = client.config().http_client() else { return client.clone() };
        let (roles, refused) = (self.roles.clone(), self.refused.clone());
        let http = http_client_fn(move |settings, components| {
            let inner = inner.http_connector(settings, components);
            SharedHttpConnector::new(Guarded { inner, roles: roles.clone(), refused: refused.clone() })
        });
        let config: Config = client.config().to_builder().http_client(http).build();
        Client::from_conf(config)
    }

    /// # Panics
    /// If an operation was refused.
    pub fn check(&self) {
        let refused = std::mem::take(&mut *lock(&self.refused));
        assert!(refused.is_empty(), "template.yaml does not allow it:\n{}", refused.join("\n"));
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.check();
        }
    }
}

#[derive(Debug)]
struct Guarded {
    inner: SharedHttpConnector,
    roles: Arc<Roles>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl HttpConnector for Guarded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.rsplit_once('.'));
        let operation = target.map(|(_, operation)| operation).unwrap_or_default();
        let (function, asked) = (asking(), Asked::of(operation, request.body().bytes().unwrap_or_default()));
        SEEN.with_borrow_mut(|seen| {
            let uses = asked.pairs.iter().cloned();
            seen.extend(uses.map(|(action, key)| Use { function: function.clone(), action, key }));
        });
        let refused = self.roles.refused(&function, &asked);
        if refused.is_empty() {
            return self.inner.call(request);
        }
        lock(&self.refused).push(format!("{function}: {refused:?} of {operation} on {:?}", asked.keys));
        HttpConnectorFuture::ready(denied())
    }
}

/// The answer of `DynamoDB` to a caller whom IAM refuses.
fn denied() -> Result<HttpResponse, ConnectorError> {
    let body = json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not authorized" });
    let status = StatusCode::try_from(400).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
