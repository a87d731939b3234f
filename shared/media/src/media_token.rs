//! Tokens of media sessions (`docs/apis/openvidu.md`).

use greenroom_core::model::{
    Connection,
    connection::{MediaToken, Ticket},
};

use crate::{Services, provider::TokenError};

/// The token of a connection. One for a LiveKit room is signed now. If the server is configured no more, there is none.
///
/// # Errors
/// No token can be signed.
pub fn media_token(services: &Services, connection: &Connection) -> Result<MediaToken, TokenError> {
    match &connection.ticket {
        Ticket::Token { token } => Ok(token.clone()),
        Ticket::Room { .. } => {
            let Some(livekit) = services.media().livekit() else { return Ok(MediaToken::none()) };
            Ok(livekit.media_token(connection)?.unwrap_or_else(MediaToken::none))
        }
    }
}
