//! Housekeeping, which the server runs by itself.

use std::time::Duration;

use greenroom_core::{
    clock::Clock,
    config::{AwsEnvironment, Environment},
    id::ConnectionName,
    model::{job::OutboxMessage, live::Stream},
};
use greenroom_store::Store;
use tokio::{io::AsyncReadExt, net::TcpListener, time::timeout};

use crate::process::Server;

#[tokio::test]
async fn the_server_delivers_outbox_messages_that_were_left_behind() {
    let media_server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", media_server.local_addr().unwrap());
    let arguments = ["--port", "0", "--memory", "--dynamodb-port", "0"];
    let server = Server::start_with(&arguments, &[("STREAMS_API_URL", &url)]);
    let variables = server.database_environment().map(|(name, value)| (name.to_owned(), value.to_owned()));
    let client = greenroom_store::client(&AwsEnvironment::read(&Environment::from_iter(variables), "DYNAMODB"));
    let (stream, name) = (Stream::of_session(1, 2), ConnectionName::random());
    let message = OutboxMessage::TerminateSession { stream, name, by: "once".to_owned() };
    Store::new(client, "greenroom").put_job(message, Clock::system().now()).await.unwrap();

    // Much longer than the server needs: only a server that does nothing fails here, not a busy machine.
    let (mut connection, _) = timeout(Duration::from_mins(1), media_server.accept()).await.unwrap().unwrap();
    let mut asked = [0; 51];
    connection.read_exact(&mut asked).await.unwrap();
    assert_eq!(str::from_utf8(&asked).unwrap(), "DELETE /v1/vhosts/default/apps/1/streams/2/sessions");
}
