//! A mail server that a test plays.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A mail server for one client. It sends these replies, one after another: its greeting first, and each further one
/// after a command or after a mail. Then it is silent until the client has gone. The task returns what it heard.
pub async fn mail_server(replies: &[&str]) -> io::Result<(SocketAddr, JoinHandle<io::Result<String>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let replies: Vec<_> = replies.iter().map(|&reply| reply.to_owned()).collect();
    let heard = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let (mut stream, mut heard) = (BufReader::new(stream), String::new());
        let mut before = None;
        for reply in replies {
            if let Some(before) = before {
                hear(&mut stream, &mut heard, before).await;
            }
            // This fails if the client has gone. Then nothing more comes from it either.
            let _ = stream.write_all(format!("{reply}\r\n").as_bytes()).await;
            before = Some(if reply.starts_with("354") { Next::Mail } else { Next::Command });
        }
        let _ = stream.read_to_string(&mut heard).await;
        Ok(heard)
    });
    Ok((address, heard))
}

/// The next thing that a client sends.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Command,
    Mail,
}

async fn hear(stream: &mut BufReader<TcpStream>, heard: &mut String, next: Next) {
    loop {
        let begun = heard.len();
        let gone = !matches!(stream.read_line(heard).await, Ok(1..));
        if gone || next == Next::Command || &heard[begun..] == ".\r\n" {
            return;
        }
    }
}
