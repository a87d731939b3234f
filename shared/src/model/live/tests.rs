use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const DAY: Duration = Duration::from_hours(24);

fn webhook(port: u16, at: i64) -> Webhook {
    let client = Client { address: "192.0.2.1".to_owned(), port, url: "ws://x/app/stream?session=n".to_owned() };
    Webhook {
        stream: Stream { vhost: "default".to_owned(), app: "app".to_owned(), stream: "stream".to_owned() },
        name: ConnectionName::parse("n").unwrap(),
        role: StreamRole::Subscriber,
        client,
        at: Timestamp::from_seconds(at),
    }
}

fn open(webhook: &Webhook, before: Option<&LiveConnection>) -> Result<Option<LiveConnection>, Refusal> {
    webhook.open(before, NOW, NOW + DAY)
}

#[test]
fn an_opening_is_known_again_and_its_closing_ends_it() {
    let opened = open(&webhook(1, 10), None).unwrap().unwrap();
    assert_eq!(opened.state(NOW), State::Connected);
    assert_eq!(open(&webhook(1, 10), Some(&opened)), Ok(None));
    assert_eq!(open(&webhook(2, 11), Some(&opened)), Err(Refusal::Taken));
    // Of another client, and of an earlier one of the same.
    assert!(webhook(2, 11).close(Some(&opened), NOW).unwrap().is_live(NOW));
    assert!(webhook(1, 9).close(Some(&opened), NOW).unwrap().is_live(NOW));
    let closed = webhook(1, 10).close(Some(&opened), NOW).unwrap();
    assert_eq!(closed.ended, Some(End { at: NOW, reason: EndReason::CLOSED }));
    assert_eq!(open(&webhook(1, 10), Some(&closed)), Err(Refusal::Closed));
    assert!(open(&webhook(1, 11), Some(&closed)).unwrap().unwrap().is_live(NOW));
    assert!(open(&webhook(2, 1), Some(&closed)).unwrap().unwrap().is_live(NOW));
}

#[test]
fn a_closing_before_its_opening_is_remembered() {
    let closed = webhook(1, 10).close(None, NOW).unwrap();
    assert!(!closed.is_live(NOW) && !closed.is_witness(NOW));
    assert_eq!(open(&webhook(1, 10), Some(&closed)), Err(Refusal::Closed));
    let of_other = open(&webhook(2, 5), Some(&closed)).unwrap().unwrap();
    assert_eq!(open(&webhook(1, 9), Some(&webhook(2, 6).close(Some(&of_other), NOW).unwrap())), Err(Refusal::Closed));
}

#[test]
fn closings_of_many_clients_take_no_more_than_so_much_room() {
    let many = (0..100)
        .fold(None, |before: Option<LiveConnection>, port| webhook(port, port.into()).close(before.as_ref(), NOW));
    let closed = many.unwrap().closed;
    assert_eq!((closed.len(), closed.values().min()), (16, Some(&Timestamp::from_seconds(84))));
}

#[test]
fn a_terminated_name_is_held_and_its_opening_dead() {
    let opened = open(&webhook(1, 10), None).unwrap().unwrap();
    let ended = opened.terminated(NOW, Duration::from_mins(1), "x");
    assert_eq!(open(&webhook(1, 20), Some(&ended)), Err(Refusal::Held));
    let later = NOW + Duration::from_mins(1);
    assert_eq!(webhook(1, 10).open(Some(&ended), later, later + DAY), Err(Refusal::Closed));
    assert!(webhook(1, 20).open(Some(&ended), later, later + DAY).unwrap().is_some());
    assert!(ended.is_witness(NOW) && !ended.is_witness(NOW + REMEMBERED));
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
    let (sent_away, _) = again.terminated(NOW, DAY, "x").with_provider_event("d", None, &created, NOW).unwrap();
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
