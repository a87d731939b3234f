//! The API over a real table, held in memory: HTTP in, HTTP out.
//!
//! With `GREENROOM_TEST_DYNAMODB` set to an endpoint, the tables are made there instead.

#![expect(clippy::unwrap_used, clippy::unchecked_time_subtraction, reason = "a test that cannot go on fails")]

mod api_tokens;
mod bad_input;
mod booking;
mod cors;
mod cost;
mod device_session;
mod fallback;
mod lost_answers;
mod meddler;
mod media_session;
mod openvidu_auth;
mod organisers;
mod permissions;
mod races;
mod register;
mod support;
mod token;
mod token_auth;
mod users;
