use super::*;

#[test]
fn connections_sort_by_the_end_of_their_tokens() {
    let at = |seconds| ConnectionId::ending_at(Timestamp::from_seconds(seconds));
    assert!(at(1_700_000_000) < at(1_700_000_001));
    assert!(at(255) < at(4_096));
    assert_eq!(ConnectionId::parse(at(1).as_str()).map(|id| id.0.len()), Some(46));
}

#[test]
fn an_identifier_has_one_device_id_per_key() {
    let (key, other) = (DeviceKey::random(), DeviceKey::random());
    assert_eq!(DeviceId::of("a", &key), DeviceId::of("a", &key));
    assert_ne!(DeviceId::of("a", &key), DeviceId::of("b", &key));
    assert_ne!(DeviceId::of("a", &key), DeviceId::of("a", &other));
}

#[test]
fn a_custom_id_is_letters_digits_underscores_and_hyphens() {
    for id in ["a", "Daily-standup_7", &"x".repeat(CUSTOM_ID_MAX)] {
        assert!(MediaSessionId::parse(id).is_some(), "{id}");
    }
    for id in ["", "a b", "a/b", "é", "a.b", &"x".repeat(CUSTOM_ID_MAX + 1)] {
        assert!(MediaSessionId::parse(id).is_none(), "{id}");
    }
}

#[test]
fn no_id_shows_itself_in_a_debug_print() {
    assert_eq!(format!("{:?}", MediaSessionId::random()), "MediaSessionId");
    assert_eq!(format!("{:?}", DeviceKey::random()), "DeviceKey");
}

#[test]
fn a_code_to_be_typed_in_has_no_characters_that_look_alike() {
    let codes: Vec<_> = (0..500).map(|_| random_code()).collect();
    for code in &codes {
        let groups: Vec<_> = code.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [4, 4, 4], "{code}");
        assert!(!code.contains(['0', 'o', '1', 'i', 'l']), "{code}");
    }
    let mut seen: Vec<_> = codes.concat().replace('-', "").chars().collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 31);
}
