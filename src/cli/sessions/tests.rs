use std::sync::Arc;

use greenroom_core::{
    config::Strictness,
    id::ProviderSessionId,
    model::{SessionMode, User, user::Role},
};
use http::StatusCode;
use serde_json::json;
use testbed::{HttpStub, nobody};

use super::*;
use crate::embedded::Embedded;

/// The providers with the credentials of both, and this one of new sessions.
fn providers(provider: &str, opentok_url: &str) -> Arc<Media> {
    let settings = [
        ("VIDEO_PROVIDER", provider),
        ("OPENTOK_API_KEY", "45828062"),
        ("OPENTOK_API_SECRET", "1234567890abcdef1234567890abcdef1234567890"),
        ("OPENTOK_API_URL", opentok_url),
        ("LIVEKIT_URL", "ws://127.0.0.1:1"),
        ("LIVEKIT_API_KEY", "devkey"),
        ("LIVEKIT_API_SECRET", "secret"),
    ];
    let environment = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    Arc::new(Media::new(&media::read(&environment, Strictness::Local).unwrap(), &Clock::system()))
}

/// The ids that OpenTok would make.
fn offline() -> Arc<Media> {
    providers("offline", "https://opentok.test")
}

fn livekit() -> Arc<Media> {
    providers("livekit", "https://opentok.test")
}

async fn make_id(media: &Media, event: u64, session: u64) -> ProviderSessionId {
    media.create_session(&NewSession::plain(RoomName::EventSession { event, session })).await.unwrap()
}

/// A store with these events, each with as many sessions as it says, all made at this provider.
async fn store(media: &Media, events: &[u64]) -> Store {
    let database = Embedded::memory().unwrap();
    database.create_table("greenroom").await.unwrap();
    let store = Store::new(database.direct_client(), "greenroom");
    store.insert_record(&User::named(1, "owner", Role::Admin)).await.unwrap().unwrap();
    for (event, sessions) in (1..).zip(events) {
        store.insert_record(&Event::new(event, format!("event {event}"), 1)).await.unwrap().unwrap();
        for _ in 0..*sessions {
            let id = store.new_id::<EventSession>().await.unwrap();
            let session_id = make_id(media, event, id).await;
            let language = format!("language {id}");
            let session = EventSession { id, language, session_id, archive: false, ..EventSession::new(event) };
            store.insert_record(&session).await.unwrap().unwrap();
        }
    }
    store
}

async fn session(store: &Store, id: u64) -> EventSession {
    store.record::<EventSession>(id).await.unwrap().unwrap().record
}

async fn go(store: &Store, media: &Media, event: Option<u64>) -> (Tally, Result<(), CliError>) {
    let mut tally = Tally::default();
    let outcome = move_all(store, media, event, &mut tally).await;
    (tally, outcome)
}

/// What a run says that ends well.
async fn says(store: &Store, media: &Media, event: Option<u64>) -> String {
    let (tally, outcome) = go(store, media, event).await;
    outcome.unwrap();
    tally.text()
}

#[tokio::test]
async fn sessions_of_another_provider_are_made_anew_once() {
    let pages = u64::try_from(PAGE).unwrap() + 3;
    let store = store(&offline(), &[2, pages]).await;
    let before = session(&store, 2).await;
    assert_eq!(says(&store, &livekit(), Some(1)).await, "moved 2, there already 0, failed 0\n");
    let all = format!("moved {pages}, there already 2, failed 0\n");
    assert_eq!(says(&store, &livekit(), None).await, all);
    let moved = session(&store, 2).await;
    let room = RoomName::parse(moved.session_id.as_str());
    assert!(room == Some(RoomName::EventSession { event: 1, session: 2 }));
    assert!(EventSession { session_id: before.session_id.clone(), ..moved.clone() } == before);
    let former = store.former_session_ids(1, Some(2)).await.unwrap();
    assert!(former == [(2, before.session_id)], "its archives are still found");
    let all = format!("moved 0, there already {}, failed 0\n", pages + 2);
    assert_eq!(says(&store, &livekit(), None).await, all);
    assert!(session(&store, 2).await == moved);
    let all = format!("moved {}, there already 0, failed 0\n", pages + 2);
    assert_eq!(says(&store, &offline(), None).await, all, "and back");
}

#[tokio::test]
async fn a_session_of_another_project_is_made_anew_too() {
    let store = store(&offline(), &[1]).await;
    let strange = ProviderSessionId::new("1_MX4xMTExMTExMX5-eA".to_owned());
    let present = store.record::<EventSession>(1).await.unwrap().unwrap();
    let change =
        |present: &EventSession| Ok::<_, NotMoved>(EventSession { session_id: strange.clone(), ..present.clone() });
    assert!(store.change_record(present, change).await.is_ok());
    assert_eq!(says(&store, &offline(), None).await, "moved 1, there already 0, failed 0\n");
}

#[tokio::test]
async fn one_that_the_provider_refuses_is_named_and_tried_again() {
    let store = store(&livekit(), &[3]).await;
    let made = offline();
    let server = HttpStub::start(move |request| {
        let (made, is_refused) = (made.clone(), String::from_utf8_lossy(request.body()).contains("archiveMode=always"));
        async move {
            if is_refused {
                return (StatusCode::BAD_REQUEST, String::new());
            }
            (StatusCode::OK, json!([{ "session_id": make_id(&made, 1, 1).await }]).to_string())
        }
    });
    let opentok = providers("opentok", server.await.unwrap().url());
    let archive = async |archive: bool| {
        let present = store.record::<EventSession>(2).await.unwrap().unwrap();
        let change = |present: &EventSession| Ok::<_, NotMoved>(EventSession { archive, ..present.clone() });
        assert!(store.change_record(present, change).await.is_ok());
    };
    archive(true).await;
    assert_eq!(says(&store, &opentok, None).await, "moved 2, there already 0, failed 1: 2\n");
    archive(false).await;
    assert_eq!(says(&store, &opentok, None).await, "moved 1, there already 2, failed 0\n");
}

#[tokio::test]
async fn a_provider_that_would_refuse_every_session_ends_the_run() {
    let store = store(&livekit(), &[3]).await;
    let refusing = HttpStub::in_turn([StatusCode::FORBIDDEN]).await.unwrap();
    let nobody = format!("http://{}", nobody().unwrap());
    for (url, reason) in [(refusing.url(), "refused our credentials"), (&nobody, "cannot be reached")] {
        let (tally, outcome) = go(&store, &providers("opentok", url), None).await;
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("running this again goes on"), "{error}");
        assert_eq!(tally, Tally::default());
    }
    assert!(RoomName::parse(session(&store, 1).await.session_id.as_str()).is_some());
}

#[tokio::test]
async fn what_an_organiser_changes_meanwhile_is_not_overwritten() {
    let store = store(&livekit(), &[2]).await;
    let (made, organisers) = (offline(), store.clone());
    let server = HttpStub::start(move |_| {
        let (made, store) = (made.clone(), organisers.clone());
        async move {
            // One session has another mode meanwhile, and the other one was made anew.
            for (id, mode) in [(1, SessionMode::Relayed), (2, SessionMode::Routed)] {
                let present = store.record::<EventSession>(id).await.unwrap().unwrap();
                if present.record.language == "changed" {
                    continue;
                }
                let session_id = if id == 1 { present.record.session_id.clone() } else { make_id(&made, 1, id).await };
                let change = |present: &EventSession| {
                    let (language, session_id) = ("changed".to_owned(), session_id.clone());
                    Ok::<_, NotMoved>(EventSession { mode, language, session_id, ..present.clone() })
                };
                let _ = store.change_record(present, change).await;
            }
            json!([{ "session_id": make_id(&made, 1, 1).await }]).to_string()
        }
    });
    let opentok = providers("opentok", server.await.unwrap().url());
    assert_eq!(says(&store, &opentok, None).await, "moved 0, there already 1, failed 1: 1\n");
    let kept = session(&store, 1).await;
    assert!(kept.language == "changed" && kept.mode == SessionMode::Relayed);
    assert_eq!(says(&store, &opentok, None).await, "moved 1, there already 1, failed 0\n");
}

#[tokio::test]
async fn sessions_of_an_event_that_has_ended_are_left_to_its_job() {
    let store = store(&offline(), &[2, 1]).await;
    let event = store.record::<Event>(1).await.unwrap().unwrap();
    store.end_event(event, Clock::system().now()).await.unwrap().unwrap();
    assert_eq!(says(&store, &livekit(), None).await, "moved 1, there already 0, failed 0\n");
    let (_, outcome) = go(&store, &livekit(), Some(1)).await;
    assert_eq!(outcome.unwrap_err().to_string(), "there is no event 1");
}
