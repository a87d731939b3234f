//! Cutting a media server's viewer off.

use greenroom_core::{
    id::ConnectionName,
    model::live::{LiveConnection, Stream},
};
use greenroom_store::{JobKey, StoreError};

use crate::{Services, media_server::MediaServerError};

/// Why a viewer was not cut off.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotCut {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    MediaServer(#[from] MediaServerError),
}

/// Has the media server cut a viewer off, and records its answer. Returns the connection as it is then.
pub(super) async fn cut_off(
    services: &Services,
    stream: &Stream,
    name: &ConnectionName,
    by: (&str, Option<&JobKey>),
) -> Result<Option<LiveConnection>, NotCut> {
    let Some(server) = services.media_server() else { return Ok(services.store.live_connection(stream, name).await?) };
    let cut = server.terminate(stream, name).await?;
    Ok(services.store.take_note_of_cut((stream, name), by, cut, services.clock.now()).await?)
}
