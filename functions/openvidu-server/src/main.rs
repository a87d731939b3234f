//! Lambda entry point; the handlers are in `lib.rs`.

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::process::ExitCode {
    greenroom_lambda::serve(
        greenroom_openvidu_server::router(),
        greenroom_openvidu_server::paths,
        greenroom_openvidu_server::SETTINGS,
    )
    .await
}
