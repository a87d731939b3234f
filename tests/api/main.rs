//! The API over a real table, held in memory: HTTP in, HTTP out.
//!
//! With `GREENROOM_TEST_DYNAMODB` set to an endpoint, the tables are made there instead.

#![expect(clippy::unwrap_used, clippy::unchecked_time_subtraction, reason = "a test that cannot go on fails")]

mod admission;
mod admission_names;
mod admission_order;
mod api_tokens;
mod bad_input;
mod booking;
mod bookings;
mod contacts;
mod cors;
mod cost;
mod counted;
mod delivery;
mod device_session;
mod event_cost;
mod event_deletion;
mod event_owners;
mod event_races;
mod event_sessions;
mod event_streams;
mod events;
mod fallback;
mod guessing;
mod join_caching;
mod joining;
mod list_filters;
mod listener;
mod lists;
mod live;
mod live_cost;
mod live_lists;
mod live_tokens;
mod login_tokens;
mod lost_answers;
mod meddler;
mod media_provider;
mod media_session;
mod message_events;
mod message_replay;
mod messages;
mod odd_users;
mod opentok_webhook;
mod openvidu_auth;
mod organisers;
mod participants;
mod permissions;
mod provider_delivery;
mod races;
mod register;
mod room_cost;
mod room_events;
mod room_members;
mod room_messages;
mod room_races;
mod room_refusals;
mod room_renaming;
mod rooms;
mod stream_sessions;
mod support;
mod terminate;
mod token;
mod token_auth;
mod users;
