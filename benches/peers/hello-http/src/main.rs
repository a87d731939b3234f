//! The smallest HTTP server on this stack: one route, no body, no store.

use std::net::Ipv4Addr;

use axum::{Router, routing::any};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("hello listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().fallback(any(|| async { "hello" }))).await
}
