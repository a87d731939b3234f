use rstest::rstest;

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const DAY: Duration = Duration::from_hours(24);

fn webhook_of(protocol: &str, host: u8, port: u16, at: i64) -> Webhook {
    let url = "ws://x/app/stream?session=n".to_owned();
    Webhook {
        stream: Stream { vhost: "default".to_owned(), app: "app".to_owned(), stream: "stream".to_owned() },
        name: ConnectionName::parse("n").unwrap(),
        named: true,
        role: StreamRole::Subscriber,
        client: Client::new(&format!("192.0.2.{host}"), None, port, protocol, url),
        at: Timestamp::from_seconds(at),
    }
}

fn webhook(port: u16, at: i64) -> Webhook {
    webhook_of("WebRTC", 1, port, at)
}

const TERMS: Terms = Terms { until: Timestamp::from_seconds(1_700_086_400), cuts: false, waits: false };

fn open(webhook: &Webhook, before: Option<&LiveConnection>) -> Result<Option<LiveConnection>, Refusal> {
    webhook.open(before, NOW, &TERMS)
}

/// The connection that is left after these openings and closings. Each is of a protocol, a host, a port and a second. A
/// client that is refused changes nothing.
fn told(all: &[(&str, &str, u8, u16, i64)]) -> LiveConnection {
    let all = all.iter().fold(None, |before: Option<LiveConnection>, (what, protocol, host, port, at)| {
        let webhook = webhook_of(protocol, *host, *port, *at);
        let after = match *what {
            "opens" => open(&webhook, before.as_ref()).ok().flatten(),
            "closes" => webhook.close(before.as_ref(), NOW),
            _ => webhook.take_back(before.as_ref(), NOW),
        };
        after.or(before)
    });
    all.unwrap()
}

#[rstest]
#[case::a_player(&[("opens", "webrtc", 1, 1, 10)], true)]
#[case::gone(&[("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 1, 1, 11)], false)]
#[case::at_the_same_time(&[("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 1, 1, 10)], false)]
#[case::gone_before_it_came(&[("closes", "webrtc", 1, 1, 11), ("opens", "webrtc", 1, 1, 10)], false)]
#[case::of_an_earlier_visit(&[("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 1, 1, 9)], true)]
#[case::told_twice(&[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 1, 1, 11)], false)]
#[case::of_another_connection(&[("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 1, 2, 11)], true)]
#[case::of_another_host(&[("opens", "webrtc", 1, 1, 10), ("closes", "webrtc", 2, 1, 11)], true)]
#[case::a_reload(&[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 2, 12), ("closes", "webrtc", 1, 1, 13)], true)]
#[case::a_reload_that_ends(
    &[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 2, 12), ("closes", "webrtc", 1, 1, 11), ("closes", "webrtc", 1, 2, 14)],
    false
)]
#[case::two_players_on_a_connection(
    &[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 12), ("closes", "webrtc", 1, 1, 13)], true
)]
#[case::both_gone(
    &[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 12), ("closes", "webrtc", 1, 1, 13), ("closes", "webrtc", 1, 1, 14)],
    false
)]
#[case::one_closing_told_twice(
    &[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 12), ("closes", "webrtc", 1, 1, 13), ("closes", "webrtc", 1, 1, 13)],
    true
)]
#[case::a_playlist(&[("opens", "llhls", 1, 1, 10), ("opens", "llhls", 1, 2, 12), ("closes", "llhls", 1, 9, 13)], false)]
#[case::a_playlist_opened_later(&[("opens", "llhls", 1, 1, 10), ("closes", "llhls", 1, 9, 13), ("opens", "llhls", 1, 2, 14)], true)]
#[case::another_protocol(&[("opens", "llhls", 1, 1, 10), ("opens", "webrtc", 1, 2, 12), ("closes", "llhls", 1, 1, 13)], true)]
#[case::who_is_refused(&[("opens", "webrtc", 1, 1, 10), ("opens", "webrtc", 2, 1, 12), ("closes", "webrtc", 1, 1, 13)], false)]
#[case::taken_back(&[("opens", "webrtc", 1, 1, 10), ("is refused", "webrtc", 1, 1, 10)], false)]
#[case::taken_back_before(&[("is refused", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 10)], false)]
#[case::a_second_taken_back(&[("opens", "llhls", 1, 1, 10), ("opens", "llhls", 1, 1, 12), ("is refused", "llhls", 1, 1, 12)], true)]
#[case::opened_again(&[("is refused", "webrtc", 1, 1, 10), ("opens", "webrtc", 1, 1, 11)], true)]
fn a_viewer_is_there_by_what_was_told(#[case] all: &[(&str, &str, u8, u16, i64)], #[case] is_there: bool) {
    assert_eq!(told(all).is_live(NOW), is_there);
}

#[test]
fn an_opening_is_known_again_and_refused_once_it_is_over() {
    let opened = open(&webhook(1, 10), None).unwrap().unwrap();
    assert_eq!(opened.state(NOW), State::Connected);
    assert_eq!(open(&webhook(1, 10), Some(&opened)), Ok(None));
    assert_eq!(open(&webhook_of("WebRTC", 2, 1, 11), Some(&opened)), Err(Refusal::Taken));
    let closed = webhook(1, 10).close(Some(&opened), NOW).unwrap();
    let by = Some(EndedBy::PARTICIPANT);
    assert_eq!(closed.ended, Some(End { at: NOW, reason: EndReason::CLOSED, by }));
    assert_eq!(open(&webhook(1, 10), Some(&closed)), Err(Refusal::Closed));
    assert!(open(&webhook(1, 11), Some(&closed)).unwrap().unwrap().is_live(NOW));
    let of_other = open(&webhook_of("WebRTC", 2, 1, 1), Some(&closed)).unwrap().unwrap();
    assert!(of_other.is_live(NOW));
    assert_eq!(webhook(1, 10).close(None, NOW).map(|unseen| unseen.is_witness(NOW)), Some(false));
}

#[test]
fn a_closing_that_knows_the_peer_only_is_of_who_came_by_way_of_it() {
    let opening = Webhook {
        client: Client::new("10.0.0.1", Some("198.51.100.7"), 1, "LLHLS", "https://x/a/s?session=n".to_owned()),
        ..webhook(1, 10)
    };
    let opened = open(&opening, None).unwrap().unwrap();
    let client = Client::new("10.0.0.1", Some("10.0.0.1"), 7, "LLHLS", "https://x/a/s?session=n".to_owned());
    let closing = Webhook { client, at: Timestamp::from_seconds(11), ..opening.clone() };
    assert!(!closing.close(Some(&opened), NOW).unwrap().is_live(NOW));
    // Another address behind the same proxy is another viewer.
    let client = Client::new("10.0.0.1", Some("198.51.100.8"), 1, "LLHLS", "https://x/a/s?session=n".to_owned());
    assert_eq!(open(&Webhook { client, ..opening }, Some(&opened)), Err(Refusal::Taken));
}

#[test]
fn what_was_told_of_many_takes_no_more_than_so_much_room() {
    let many = (0..200).fold(None, |before: Option<LiveConnection>, port| {
        webhook(port, port.into()).close(before.as_ref(), NOW).or(before)
    });
    let size = serde_json::to_string(&many.unwrap().spells).unwrap().len();
    assert!(size < 16 * 64, "{size}");
    let many = (0..200)
        .fold(None, |before: Option<LiveConnection>, at| open(&webhook(1, at), before.as_ref()).unwrap().or(before));
    let size = serde_json::to_string(&many.unwrap().spells).unwrap().len();
    assert!(size < 16 * 64, "{size}");
}

#[test]
fn a_terminated_name_is_held_and_its_opening_dead() {
    let opened = open(&webhook(1, 10), None).unwrap().unwrap();
    let ended = opened.terminated(NOW, Duration::from_mins(1), "x", EndedBy::OPERATOR);
    assert_eq!(open(&webhook(1, 20), Some(&ended)), Err(Refusal::Held));
    let later = NOW + Duration::from_mins(1);
    assert_eq!(webhook(1, 10).open(Some(&ended), later, &TERMS), Err(Refusal::Closed));
    assert!(webhook(1, 20).open(Some(&ended), later, &TERMS).unwrap().is_some());
    assert!(ended.is_witness(NOW) && !ended.is_witness(NOW + REMEMBERED));
}

#[test]
fn who_was_given_a_lifetime_is_held_for_as_long() {
    let terms = Terms::new(NOW, DAY, Some(Duration::from_mins(10)), false);
    let opened = webhook(1, 10).open(None, NOW, &terms).unwrap().unwrap();
    assert_eq!(opened.ends_at, NOW + Duration::from_secs(630));
    let ending = opened.ending(NOW, Duration::from_mins(1), "x", EndedBy::user(4));
    assert_eq!((ending.held_until, ending.state(NOW)), (Some(ending.ends_at), State::Ending));
    assert!(ending.clone().not_cut_off().ending.is_some());
    assert_eq!(ending.clone().cut_off(NOW).ended.unwrap().by, Some(EndedBy::user(4)));
    // The closing ends it with the termination that was under way.
    let closed = webhook(1, 11).close(Some(&ending), NOW).unwrap();
    assert!(closed.is_terminated());
    let without = open(&webhook(1, 10), None).unwrap().unwrap().ending(NOW, DAY, "x", EndedBy::OPERATOR);
    assert_eq!(without.not_cut_off().state(NOW), State::Connected);
}

#[test]
fn a_name_is_connected_while_any_of_its_clients_is() {
    let source = Source::Event { provider_session: ProviderSessionId::new("1_x".to_owned()) };
    let stream = Stream::of_session(1, 2);
    let issued = LiveConnection::begin(stream, ConnectionName::random(), StreamRole::Publisher, source, NOW, NOW + DAY);
    assert_eq!(issued.state(NOW), State::Issued);
    let created = ProviderEvent::Created(NOW);
    let destroyed = ProviderEvent::Destroyed {
        created_at: Some(NOW),
        at: NOW,
        reason: EndReason::of_provider("networkDisconnected"),
    };
    let (one, a) = issued.with_provider_event("a", None, &created, NOW).unwrap();
    let (two, b) = one.with_provider_event("b", None, &created, NOW).unwrap();
    assert_eq!((two.open, two.state(NOW)), (2, State::Connected));
    assert_eq!(two.with_provider_event("a", Some(&a), &created, NOW), None);
    let (left, a) = two.with_provider_event("a", Some(&a), &destroyed, NOW).unwrap();
    assert_eq!((left.open, left.state(NOW)), (1, State::Connected));
    assert_eq!(left.with_provider_event("a", Some(&a), &destroyed, NOW), None);
    let (gone, _) = left.with_provider_event("b", Some(&b), &destroyed, NOW).unwrap();
    assert_eq!((gone.open, gone.state(NOW)), (0, State::Ended));
    // The token is still good.
    let (again, _) = gone.with_provider_event("c", None, &created, NOW).unwrap();
    assert_eq!((again.open, again.state(NOW)), (1, State::Connected));
    let (sent_away, _) =
        again.terminated(NOW, DAY, "x", EndedBy::OPERATOR).with_provider_event("d", None, &created, NOW).unwrap();
    assert!(sent_away.sends_away(NOW + DAY) && !sent_away.is_live(NOW));
}

#[test]
fn an_event_is_a_number_in_its_one_spelling() {
    let stream =
        |vhost: &str, app: &str| Stream { vhost: vhost.to_owned(), app: app.to_owned(), stream: "7".to_owned() };
    assert_eq!(stream("default", "12").event_session(), Some((12, 7)));
    for (vhost, app) in [("edge", "12"), ("default", "012"), ("default", "+12"), ("default", "live")] {
        assert_eq!(stream(vhost, app).event_session(), None);
    }
}
