//! The live sessions of a stream: listing and terminating them (`docs/apis/ovenmediaengine.md`).

use std::convert::Infallible;

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
};
use greenroom_core::{
    config::Setting,
    id::ConnectionName,
    model::live::{EndedBy, Stream},
};
use greenroom_http::{
    App,
    auth::Operator,
    dialect::{
        openvidu::Sent,
        streams::{Body, Error, Refusals, StreamsError},
    },
};
use greenroom_media::{
    audit::Party,
    termination::{Outcome, terminate},
};
use greenroom_store::Missing;
use percent_encoding::percent_decode_str;
use utoipa::ToSchema;

/// The settings of this function.
pub const SETTINGS: &[Setting] = &[
    Setting::TableName,
    Setting::StreamsAccessToken,
    Setting::StreamsVhosts,
    Setting::StreamsHold,
    Setting::StreamsLifetime,
    Setting::StreamsApiUrl,
    Setting::StreamsApiToken,
    Setting::MediaSessionGrace,
    Setting::VideoProvider,
    Setting::OpentokApiKey,
    Setting::OpentokApiSecret,
    Setting::OpentokApiUrl,
    Setting::VonageApplicationId,
    Setting::VonagePrivateKey,
    Setting::VonageApiUrl,
    Setting::LivekitUrl,
    Setting::LivekitApiKey,
    Setting::LivekitApiSecret,
    Setting::CorsOrigins,
    Setting::Log,
];

greenroom_http::routes!(list_stream_sessions, terminate_stream_session);

/// The stream and the session that the path names.
struct StreamPath {
    stream: Stream,
    session: Option<ConnectionName>,
}

impl FromRequestParts<App> for StreamPath {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Infallible> {
        // A part that is not UTF-8 is quoted as far as it can be.
        let part = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let mut named = parts.uri.path().split('/').skip(3).step_by(2).map(part);
        let mut next = || named.next().unwrap_or_default();
        let stream = Stream { vhost: next(), app: next(), stream: next() };
        // `sessions` follows the stream in the path, and then the session.
        let session = parts.uri.path().split('/').nth(9).map(part);
        Ok(Self { stream, session: session.and_then(|name| ConnectionName::parse(&name)) })
    }
}

/// The names of a stream's live sessions.
#[derive(ToSchema)]
#[schema(as = StreamSessions, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Names {
    /// `OK`.
    #[schema(example = "OK")]
    message: String,
    /// The names, in the order in which the sessions began.
    response: Vec<ConnectionName>,
    /// The HTTP status.
    #[schema(example = 200)]
    status_code: u16,
}

/// A live session was terminated.
#[derive(ToSchema)]
#[schema(as = StreamSessionTerminated, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Terminated {
    /// `OK`.
    #[schema(example = "OK")]
    message: String,
    /// The HTTP status.
    #[schema(example = 200)]
    status_code: u16,
}

/// A live session will be terminated later.
#[derive(ToSchema)]
#[schema(as = StreamSessionEnding, rename_all = "camelCase")]
#[expect(dead_code, reason = "only the document is made of it")]
struct Ending {
    /// `Accepted`.
    #[schema(example = "Accepted")]
    message: String,
    /// The time by which the session ends.
    #[schema(example = "The session ends by 2023-11-14T23:13:50Z")]
    response: String,
    /// The HTTP status.
    #[schema(example = 202)]
    status_code: u16,
}

/// List the names of a stream's live sessions.
#[utoipa::path(
    get,
    path = "/v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions",
    operation_id = "listStreamSessions",
    tag = "Live sessions",
    params(
        ("vhost" = String, Path, description = "The virtual host: a media server's own, or `default` for everything else", example = "default"),
        ("app" = String, Path, description = "The application: `openvidu`, an event's id, or an application of a media server", example = "openvidu"),
        ("stream" = String, Path, description = "The stream: a media session, an event's session, or a stream of a media server", example = "daily"),
    ),
    responses(
        (status = 200, description = "The names of the sessions, in the order in which the sessions began", body = Names),
        (status = 404, description = "There is no such virtual host, application or stream", body = StreamsError, example = json!({"message": "[HTTP] Could not find the stream: [default/#default#app/stream] (404)", "statusCode": 404})),
        Refusals,
    ),
)]
async fn list_stream_sessions(
    _: Operator,
    Ok(named): Result<StreamPath, Infallible>,
    State(app): State<App>,
) -> Result<Json<Body<Vec<ConnectionName>>>, Error> {
    let listed = app.store.live_names(&named.stream, app.clock.now()).await?;
    if listed.names.is_empty() && !listed.known {
        look_for(&app, &named.stream).await?;
    }
    Ok(Json(Body::ok(Some(listed.names))))
}

/// Terminate a live session.
///
/// The client is cut off, and its token becomes invalid. For a while, Greenroom lets nobody in under the session's
/// name.
///
/// If a real `OvenMediaEngine` is configured, its viewer stays in the list until the media server has cut them off. The
/// Enterprise edition does so at once. The open-source edition has no call for it. It cuts off a viewer with a lifetime
/// at the end of that lifetime (202). It does not cut off any other viewer (501).
#[utoipa::path(
    delete,
    path = "/v1/vhosts/{vhost}/apps/{app}/streams/{stream}/sessions/{session}",
    operation_id = "terminateStreamSession",
    tag = "Live sessions",
    params(
        ("vhost" = String, Path, description = "The virtual host", example = "default"),
        ("app" = String, Path, description = "The application", example = "openvidu"),
        ("stream" = String, Path, description = "The stream", example = "daily"),
        ("session" = String, Path, description = "The session's name", example = "0c2b5c1e-6c1f-4b5a-9a43-1f6f3f0f8a11"),
    ),
    responses(
        (status = 200, description = "The session is terminated", body = Terminated),
        (status = 202, description = "The session ends when Greenroom can tell the media server, or when the media server cuts it off by itself. Until then the session is listed; at a LiveKit server it is listed no more", body = Ending),
        (status = 501, description = "The media server cannot end a single session; the viewer is still connected", body = StreamsError, example = json!({"message": "[HTTP] The media server cannot end a single session (501)", "statusCode": 501})),
        (status = 404, description = "There is no such virtual host, application, stream or live session", body = StreamsError, example = json!({"message": "Not Found", "response": "Could not find the session", "statusCode": 404})),
        Refusals,
    ),
)]
async fn terminate_stream_session(
    _: Operator,
    Ok(named): Result<StreamPath, Infallible>,
    State(app): State<App>,
) -> Result<(StatusCode, Json<Body<String>>), Error> {
    let terminated = match &named.session {
        Some(name) => terminate(&app.services, &named.stream, name, app.config.streams.hold, EndedBy::OPERATOR).await?,
        None => None,
    };
    let Some(outcome) = terminated else {
        if !app.store.live_names(&named.stream, app.clock.now()).await?.known {
            look_for(&app, &named.stream).await?;
        }
        return Err(Error::UnknownSession);
    };
    outcome.decision(Party::Operator).record(&app.services).await;
    let body = match outcome {
        Outcome::Ended(_) => Body::ok(None),
        Outcome::Untold(_) => Body::accepted("The session ends when the media server answers".to_owned()),
        Outcome::Ending(session) => Body::accepted(format!("The session ends by {}", session.ends_at)),
        Outcome::Impossible(_) => return Err(Error::CannotEnd),
    };
    Ok((body.status(), Json(body)))
}

/// Says which part of a stream's path does not exist, if no connection of the stream is known.
async fn look_for(app: &App, stream: &Stream) -> Result<(), Error> {
    let has_vhost = app.config.streams.has_vhost(&stream.vhost);
    // Boxed, because the future of three requests is large and rarely needed.
    let missing = Box::pin(app.store.missing_part(stream, has_vhost, app.clock.now())).await?;
    let [vhost, name, stream] = [&stream.vhost, &stream.app, &stream.stream].map(|text| Sent::new(text));
    match missing {
        None => Ok(()),
        Some(Missing::Vhost) => Err(Error::UnknownVhost { vhost }),
        Some(Missing::App) => Err(Error::UnknownApp { vhost, app: name }),
        Some(Missing::Stream) => Err(Error::UnknownStream { vhost, app: name, stream }),
    }
}
