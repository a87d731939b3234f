//! A store that fails: a proxy in front of a real store. It throttles, fails, falls silent, resets connections and is
//! slow.
//!
//! A client sees no difference between a fault before the store has done the work and one afterwards, but the effects
//! differ. So each kind of fault exists in both forms.
//!
//! On request it also lets transactions conflict, which an embedded store never does.

mod committed;
mod held;
mod plan;
mod refusal;
mod wire;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

pub use self::plan::{Fault, Plan};
use self::{
    committed::Committed,
    held::{Admission, Held},
    plan::Breaking,
    refusal::{broken, conflicted, throttled, unavailable},
    wire::{Answer, Connection, Request},
};
use crate::client::Client;

/// A proxy in front of a store, on a free loopback port. It causes no faults until it is given a plan.
pub struct FaultyStore {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Dropping it ends the proxy and all of its connections.
    _server: JoinSet<()>,
}

struct Shared {
    store: String,
    http: Client,
    plan: Mutex<Plan>,
    held: Held,
    committed: Committed,
    requests: AtomicU64,
    connections: AtomicU64,
    breaking: Mutex<Option<Breaking>>,
    injected: watch::Sender<u64>,
}

/// What the proxy does with a request.
enum Outcome {
    Answer(Answer),
    CutOff(Answer),
    Reset,
    Silence,
}

impl FaultyStore {
    /// A proxy in front of the store at this address, for example `http://127.0.0.1:8000`.
    pub async fn before(store: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            store: store.to_owned(),
            http: Client::new(),
            plan: Mutex::new(Plan::none()),
            held: Held::default(),
            committed: Committed::default(),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            breaking: Mutex::new(None),
            injected: watch::Sender::new(0),
        });
        let mut server = JoinSet::new();
        server.spawn(serve(listener, shared.clone()));
        Ok(Self { address, shared, _server: server })
    }

    /// The URL of the proxy.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The number of connections that were opened to it.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Applies this plan from now on. Requests in flight are not affected.
    pub fn inject(&self, plan: Plan) {
        *self.shared.plan() = plan;
    }

    /// Lets this many writes through from now on. Every write after them meets this fault. Reads are answered.
    pub fn break_after(&self, writes: u64, fault: Fault) {
        *self.shared.breaking() = Some(Breaking { fault, after: writes, asked: 0 });
    }

    /// The number of writes requested since `break_after` was called; zero without it.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.shared.breaking().as_ref().map_or(0, |breaking| breaking.asked)
    }

    /// Stops all faults from now on.
    pub fn heal(&self) {
        self.inject(Plan::none());
        *self.shared.breaking() = None;
    }

    /// From now on each transaction holds its items for this time. A request for one of them meanwhile is refused as
    /// `DynamoDB` does: another transaction with `TransactionConflict` for that item, a single write with
    /// `TransactionConflictException`. Reads are answered.
    pub fn hold(&self, time: Duration) {
        self.shared.held.set_time(Some(time));
    }

    /// The number of requests that have met a fault.
    #[must_use]
    pub fn injected(&self) -> u64 {
        *self.shared.injected.borrow()
    }

    /// Waits until this many more requests have met a fault.
    pub async fn injects(&self, more: u64) {
        let mut injected = self.shared.injected.subscribe();
        let all = *injected.borrow() + more;
        // `self` owns the sender, so the wait cannot end early.
        let _ = injected.wait_for(|injected| *injected >= all).await;
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                let shared = shared.clone();
                shared.connections.fetch_add(1, Ordering::Relaxed);
                connections.spawn(async move {
                    // The client is gone then, as often happens in the middle of a fault.
                    let _ = converse(stream, &shared).await;
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn converse(stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = Connection::new(stream);
    while let Some(request) = connection.request().await? {
        match shared.outcome(request).await? {
            Outcome::Answer(answer) => connection.answer(&answer).await?,
            Outcome::CutOff(answer) => return connection.cut_off(&answer).await,
            Outcome::Reset => return connection.reset(),
            Outcome::Silence => return connection.stay_silent().await,
        }
    }
    Ok(())
}

impl Shared {
    /// No code panics while it holds this lock.
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// No code panics while it holds this lock.
    fn breaking(&self) -> MutexGuard<'_, Option<Breaking>> {
        self.breaking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn outcome(&self, request: Request) -> io::Result<Outcome> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let (planned, chance) = self.plan().fault_of(number);
        let broken_off = || self.breaking().as_mut().filter(|_| request.writes())?.next();
        let fault = planned.or_else(broken_off);
        if fault.is_some() {
            self.injected.send_modify(|injected| *injected += 1);
        }
        Ok(match fault {
            None => Outcome::Answer(self.done_when_free(&request).await?),
            Some(Fault::Throttled) => Outcome::Answer(throttled(&request, chance)),
            Some(Fault::Conflicted) => match conflicted(&request) {
                Some(answer) if !self.committed.has(&request) => Outcome::Answer(answer),
                _ => Outcome::Answer(self.done(&request).await?),
            },
            Some(Fault::Unprocessed) => Outcome::Answer(self.half_done(request).await?),
            Some(Fault::Broken) => Outcome::Answer(broken(chance)),
            Some(Fault::BrokenAfter) => {
                self.done(&request).await?;
                Outcome::Answer(broken(chance))
            }
            Some(Fault::Unavailable) => Outcome::Answer(unavailable()),
            Some(Fault::Silent) => Outcome::Silence,
            Some(Fault::SilentAfter) => {
                self.done(&request).await?;
                Outcome::Silence
            }
            Some(Fault::Reset) => Outcome::Reset,
            Some(Fault::ResetAfter) => {
                self.done(&request).await?;
                Outcome::Reset
            }
            Some(Fault::CutOff) => Outcome::CutOff(self.done(&request).await?),
            Some(Fault::Slow(delay)) => {
                let answer = self.done(&request).await?;
                tokio::time::sleep(delay).await;
                Outcome::Answer(answer)
            }
        })
    }

    /// Has the store do the request, unless it conflicts with a transaction in flight.
    async fn done_when_free(&self, request: &Request) -> io::Result<Answer> {
        if self.committed.has(request) {
            return self.done(request).await;
        }
        match self.held.admit(request) {
            Admission::Free => self.done(request).await,
            Admission::Refused(answer) => Ok(answer),
            Admission::Holding(_hold, time) => {
                let (answer, ()) = tokio::join!(self.done(request), tokio::time::sleep(time));
                answer
            }
        }
    }

    /// Has the store do the request.
    async fn done(&self, request: &Request) -> io::Result<Answer> {
        let mut post = self.http.post(&self.store).body(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        let answer = post.send().await.map_err(io::Error::other)?;
        let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.unwrap_or("application/x-amz-json-1.0").to_owned();
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(io::Error::other)?.to_vec();
        if status == 200 {
            self.committed.note(request);
        }
        Ok(Answer { status, content_type, body })
    }

    /// Does half of a batch, or the whole of any other request.
    async fn half_done(&self, mut request: Request) -> io::Result<Answer> {
        let (list, given_back) = match &*request.operation {
            "BatchGetItem" => ("/Keys", "UnprocessedKeys"),
            "BatchWriteItem" => ("", "UnprocessedItems"),
            _ => return self.done(&request).await,
        };
        let mut asked: Value = serde_json::from_slice(&request.body)?;
        let mut rest = asked["RequestItems"].clone();
        for (table, part) in rest.as_object_mut().into_iter().flatten() {
            let done = asked["RequestItems"][table].pointer_mut(list).and_then(Value::as_array_mut);
            let left = part.pointer_mut(list).and_then(Value::as_array_mut);
            if let (Some(done), Some(left)) = (done, left) {
                done.truncate(left.len().div_ceil(2));
                left.drain(..done.len());
            }
        }
        rest.as_object_mut().into_iter().for_each(|rest| {
            rest.retain(|_, part| part.pointer(list).and_then(Value::as_array).is_some_and(|left| !left.is_empty()));
        });
        request.body = asked.to_string().into_bytes();
        let mut answer = self.done(&request).await?;
        if answer.status == 200 {
            let mut body: Value = serde_json::from_slice(&answer.body)?;
            body[given_back] = rest;
            answer.body = body.to_string().into_bytes();
        }
        Ok(answer)
    }
}
