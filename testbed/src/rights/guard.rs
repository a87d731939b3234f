//! A client of the table that is refused what the role of the function does not allow for which it asks.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    fmt,
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
use serde_json::json;
use shared::{
    id::{RequestId, random_hex},
    meter,
};

use super::{Asked, Roles};

/// Whoever asks for the table and is no function.
const NOBODY: &str = "nobody";

/// Which function takes the request of this id.
static CALLS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);

thread_local! {
    static SEEN: RefCell<BTreeSet<Use>> = const { RefCell::new(BTreeSet::new()) };
}

/// That a function did something to an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The function.
    pub function: String,
    /// The action, without `dynamodb:`.
    pub action: String,
    /// The item's partition key.
    pub key: String,
}

/// What was used on this thread until now: by a test that has it for its own, as those of a runtime without threads have.
#[must_use]
pub fn seen_on_this_thread() -> BTreeSet<Use> {
    SEEN.with_borrow(Clone::clone)
}

/// An id for a request that this function takes, by which what is asked for on its behalf is known.
#[must_use]
pub fn call_of(function: &str) -> RequestId {
    let id = random_hex();
    lock(&CALLS).insert(id.clone(), function.to_owned());
    RequestId(id)
}

/// The function for which something is asked now.
fn asking() -> String {
    let meter = meter::current();
    let id = meter.as_ref().and_then(|meter| meter.origin().id.as_ref());
    let function = id.and_then(|RequestId(id)| lock(&CALLS).get(id).cloned());
    function.unwrap_or_else(|| NOBODY.to_owned())
}

/// Sees to it that each function does what its role allows, and remembers what was refused. Whoever forgets to
/// [`check`](Self::check) is told when it is dropped.
pub struct Guard {
    roles: Arc<Roles>,
    refused: Arc<Mutex<Vec<String>>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard")
    }
}

impl Guard {
    /// By these roles.
    #[must_use]
    pub fn new(roles: Arc<Roles>) -> Self {
        Self { roles, refused: Arc::default() }
    }

    /// A client of the same table that is guarded.
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
    /// Where something was refused.
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

/// What `DynamoDB` answers to whom IAM refuses.
fn denied() -> Result<HttpResponse, ConnectorError> {
    let body = json!({ "__type": "com.amazon.coral.service#AccessDeniedException", "Message": "not authorized" });
    let status = StatusCode::try_from(400).map_err(|error| ConnectorError::other(error.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(body.to_string())))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
