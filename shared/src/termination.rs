//! Terminating live connections: in the table first, and then at their media server.

use std::time::Duration;

use crate::{
    App,
    delivery::{deliver, is_wanted},
    id::ConnectionName,
    model::live::{LiveConnection, Stream},
    store::{StoreError, Terminating},
};

/// Ends a live connection and its token, whatever it came from, and lets nobody in under its name for `hold`; `None`
/// where there is none. With us it has ended when this returns; where its media server cannot be told within 3 seconds,
/// it is told later.
pub async fn terminate(
    app: &App,
    stream: &Stream,
    name: &ConnectionName,
    hold: Duration,
) -> Result<Option<LiveConnection>, StoreError> {
    let (now, grace) = (app.clock.now(), app.config.media_session_grace);
    let what = Terminating { stream, name, now, hold, grace };
    let terminated = app.store.terminate(&what, |errand| is_wanted(&app.config, errand)).await?;
    let Some(terminated) = terminated else { return Ok(None) };
    if let Some(errand) = &terminated.errand {
        deliver(app, errand).await;
    }
    Ok(Some(terminated.connection))
}
