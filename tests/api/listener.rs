//! A client that listens to `/api/sse`, as a browser does.

use axum::{
    body::{Body, BodyDataStream},
    http::HeaderMap,
};
use futures_util::StreamExt;
use greenroom_http::Deadline;
use serde_json::Value;

use crate::support::Caller;

/// A received event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Listener {
    pub(crate) headers: HeaderMap,
    chunks: BodyDataStream,
    text: String,
    /// The lines of the event that is arriving.
    block: Vec<String>,
    /// The last received position, from an event or a comment.
    pub(crate) last_id: String,
}

impl Caller<'_> {
    /// Opens a stream that starts now.
    pub(crate) async fn listen(&self) -> Listener {
        self.listen_with(&[], None).await.unwrap()
    }

    /// Opens a stream that starts after this position.
    pub(crate) async fn resume(&self, id: &str) -> Listener {
        self.listen_with(&[("last-event-id", id)], None).await.unwrap()
    }

    pub(crate) async fn listen_with(
        &self,
        headers: &[(&str, &str)],
        deadline: Option<Deadline>,
    ) -> Result<Listener, u16> {
        self.listen_at("/api/sse", headers, deadline).await
    }

    pub(crate) async fn listen_at(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        deadline: Option<Deadline>,
    ) -> Result<Listener, u16> {
        let mut request = self.request("GET", path, headers, Body::empty());
        if let Some(deadline) = deadline {
            request.extensions_mut().insert(deadline);
        }
        let response = self.begin(request).await;
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        let (parts, body) = response.into_parts();
        let chunks = body.into_data_stream();
        Ok(Listener { headers: parts.headers, chunks, text: String::new(), block: Vec::new(), last_id: String::new() })
    }
}

impl Listener {
    /// The next chunk of the stream; `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let chunk = self.chunks.next().await?.unwrap();
        Some(String::from_utf8(chunk.to_vec()).unwrap())
    }

    /// The next event; `None` at the end of the stream, or on a keep-alive.
    async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some((line, rest)) = self.text.split_once('\n') {
                let (line, rest) = (line.to_owned(), rest.to_owned());
                self.text = rest;
                if let Some(position) = line.strip_prefix(": keep-alive ") {
                    position.clone_into(&mut self.last_id);
                    return None;
                }
                if line.is_empty() {
                    return Some(self.read());
                }
                self.block.push(line);
            }
            let chunk = self.chunk().await?;
            self.text.push_str(&chunk);
        }
    }

    /// Parses the event from the lines before an empty one.
    fn read(&mut self) -> Event {
        let block = std::mem::take(&mut self.block);
        let field = |name: &str| {
            let value = block.iter().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            value.unwrap_or_else(|| panic!("without {name}: {block:?}"))
        };
        self.last_id = field("id: ");
        Event { id: field("id: "), kind: field("event: "), data: serde_json::from_str(&field("data: ")).unwrap() }
    }

    /// The next event; waits for it.
    pub(crate) async fn event(&mut self) -> Event {
        for _ in 0..10 {
            if let Some(event) = self.next().await {
                return event;
            }
        }
        panic!("no event arrived");
    }

    /// The values of this field in the next events.
    pub(crate) async fn fields(&mut self, name: &str, count: usize) -> Vec<Value> {
        let mut fields = Vec::new();
        while fields.len() < count {
            fields.push(self.event().await.data[name].clone());
        }
        fields
    }

    /// Waits for a keep-alive. No event may arrive before it.
    pub(crate) async fn is_quiet(&mut self) {
        // The first lines of the stream.
        while self.last_id.is_empty() {
            assert_eq!(self.next().await, None);
        }
        assert_eq!(self.text, "");
        assert_eq!(self.next().await, None);
    }
}
