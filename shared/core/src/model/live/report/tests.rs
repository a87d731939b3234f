use rstest::rstest;

use super::*;
use crate::{
    id::ConnectionName,
    model::{
        live::{EndedBy, State, Stream},
        login_token::StreamRole,
    },
};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);
const TOKEN: Duration = Duration::from_hours(6);

fn at(seconds: u64) -> Timestamp {
    NOW + Duration::from_secs(seconds)
}

fn issued() -> LiveConnection {
    let source = Source::Event { provider_session: RoomName::EventSession { event: 1, session: 2 }.room() };
    let stream = Stream::of_session(1, 2);
    LiveConnection::begin(stream, ConnectionName::random(), StreamRole::Publisher, source, NOW, NOW + TOKEN)
}

/// A report of participant `sid`, who joined at the second of the same number.
fn report(sid: u64, second: u64, reported: Reported) -> Report {
    let (sid, joined_at) = (format!("PA_{sid}"), Some(at(sid)));
    Report { sid, room_sid: "RM_1".to_owned(), joined_at, at: at(second), reported }
}

fn joined(sid: u64) -> Report {
    report(sid, sid, Reported::Joined)
}

fn left(sid: u64, second: u64) -> Report {
    report(sid, second, Reported::Left(EndReason::LEFT))
}

fn published(sid: u64, second: u64, track: &str) -> Report {
    Report { joined_at: None, ..report(sid, second, Reported::Published(track.to_owned())) }
}

fn unpublished(sid: u64, second: u64, track: &str) -> Report {
    Report { joined_at: None, ..report(sid, second, Reported::Unpublished(track.to_owned())) }
}

fn present(sid: u64, second: u64, tracks: &[&str]) -> Report {
    report(sid, second, Reported::Present(tracks.iter().map(|track| (*track).to_owned()).collect()))
}

fn missing(second: u64) -> Report {
    report(0, second, Reported::Missing)
}

/// The connection after these reports, each read an hour after the token was issued.
fn told(reports: &[Report]) -> LiveConnection {
    let now = at(3600);
    reports.iter().fold(issued(), |before, report| before.with_report(report, now).unwrap_or(before))
}

#[rstest]
#[case::nothing(&[], State::Issued, None)]
#[case::in_the_room(&[joined(10)], State::Connected, Some(10))]
#[case::told_twice(&[joined(10), joined(10)], State::Connected, Some(10))]
#[case::left(&[joined(10), left(10, 20)], State::Ended, Some(10))]
#[case::left_in_the_same_second(&[joined(10), left(10, 10)], State::Ended, Some(10))]
#[case::the_end_comes_first(&[left(10, 20), joined(10)], State::Ended, Some(10))]
#[case::back_again(&[joined(10), left(10, 20), joined(30)], State::Connected, Some(30))]
#[case::the_earlier_end_is_late(&[joined(10), joined(30), left(10, 30)], State::Connected, Some(30))]
#[case::an_earlier_beginning_is_late(&[joined(30), joined(10)], State::Connected, Some(30))]
#[case::the_whole_earlier_stay_is_late(&[joined(30), left(10, 20)], State::Connected, Some(30))]
#[case::a_stay_without_its_beginning(&[joined(10), left(30, 40)], State::Ended, Some(30))]
#[case::an_attempt_that_failed(&[report(5, 6, Reported::Aborted(EndReason::FAILED))], State::Issued, None)]
#[case::an_attempt_beside(&[joined(10), report(15, 16, Reported::Aborted(EndReason::FAILED))], State::Connected, Some(10))]
#[case::a_track_before_the_beginning(&[published(10, 11, "a"), joined(10)], State::Connected, Some(10))]
#[case::a_late_track_of_an_earlier_participant(
    &[joined(10), joined(20), left(20, 30), published(10, 12, "a")], State::Ended, Some(20)
)]
#[case::a_track_and_the_end(&[published(10, 12, "a"), left(10, 20)], State::Ended, Some(10))]
#[case::listed(&[present(10, 60, &[])], State::Connected, Some(10))]
#[case::listed_after_it_was_lost(&[joined(10), missing(60), present(10, 120, &[])], State::Connected, Some(10))]
#[case::listed_before_it_left(&[joined(10), left(10, 60), present(10, 62, &[])], State::Ended, Some(10))]
#[case::not_listed(&[joined(10), missing(60)], State::Ended, Some(10))]
#[case::not_listed_yet(&[joined(58), missing(60)], State::Connected, Some(58))]
#[case::never_there_and_not_listed(&[missing(60)], State::Issued, None)]
fn reports_in_any_order_give_the_state(
    #[case] reports: &[Report],
    #[case] state: State,
    #[case] connected_at: Option<u64>,
) {
    let connection = told(reports);
    assert_eq!((connection.state(at(3600)), connection.connected_at), (state, connected_at.map(at)));
}

#[rstest]
#[case::none(&[joined(10)], None)]
#[case::one(&[joined(10), published(10, 12, "a")], Some(12))]
#[case::two(&[joined(10), published(10, 12, "a"), published(10, 14, "b")], Some(12))]
#[case::one_of_two_is_left(&[joined(10), published(10, 12, "a"), published(10, 14, "b"), unpublished(10, 15, "a")], Some(14))]
#[case::no_longer(&[joined(10), published(10, 12, "a"), unpublished(10, 12, "a")], None)]
#[case::in_the_wrong_order(&[joined(10), unpublished(10, 13, "a"), published(10, 12, "a")], None)]
#[case::of_an_earlier_participant(&[joined(10), joined(20), published(10, 21, "a")], None)]
#[case::left(&[joined(10), published(10, 12, "a"), left(10, 20)], None)]
#[case::listed(&[joined(10), present(10, 60, &["a"])], Some(60))]
#[case::muted(&[joined(10), published(10, 12, "a"), present(10, 60, &[])], None)]
#[case::published_while_the_list_was_read(&[joined(10), published(10, 58, "a"), present(10, 60, &[])], Some(58))]
#[case::as_known(&[joined(10), published(10, 12, "a"), present(10, 60, &["a"])], Some(12))]
fn the_list_says_who_publishes(#[case] reports: &[Report], #[case] since: Option<u64>) {
    assert_eq!(told(reports).publishing(), since.map(at));
}

#[test]
fn a_list_that_says_what_is_known_changes_nothing() {
    let connection = told(&[joined(10), published(10, 12, "a")]);
    assert!(connection.with_report(&present(10, 3000, &["a"]), at(3600)).is_none());
    let renewed = connection.with_report(&present(10, 3000, &["a"]), at(3600) + PRESENT).unwrap();
    assert_eq!(renewed.ends_at, at(3600) + PRESENT + PRESENT);
}

#[test]
fn a_participant_outlives_the_token_and_the_token_ends_all_the_same() {
    let connection = told(&[joined(10)]);
    assert!(connection.is_live(NOW + TOKEN + Duration::from_hours(1)));
    let ended = connection.with_report(&left(10, 7 * 3600), at(8 * 3600)).unwrap();
    assert_eq!((ended.ends_at, ended.end_at()), (NOW + TOKEN, at(7 * 3600)));
    assert_eq!(ended.ended.unwrap().by, Some(EndedBy::PARTICIPANT));
}

#[test]
fn a_failed_attempt_leaves_its_reason_until_one_succeeds() {
    let failed = told(&[report(5, 6, Reported::Aborted(EndReason::FAILED))]);
    assert_eq!(failed.failed, Some(EndReason::FAILED));
    assert_eq!(failed.with_report(&joined(10), at(3600)).unwrap().failed, None);
}

#[test]
fn a_name_is_held_until_its_token_and_its_returns_are_over() {
    let minute = Duration::from_mins(1);
    let terminated = told(&[joined(10)]).terminated(at(60), minute, "once", EndedBy::OPERATOR);
    assert_eq!(terminated.held_until, Some(NOW + TOKEN + minute));
    // The server gave the participant a new token when they joined, so the hold outlives their own.
    let late = NOW + TOKEN;
    let back = terminated.with_report(&joined(20), late).unwrap();
    assert_eq!((back.held_until, back.state(late)), (Some(late + RETURNS), State::Ended));
    assert!(back.expires_at > late + RETURNS);
    assert!(back.with_report(&left(20, 30), late).is_none());
    let attempt = back.with_report(&report(30, 31, Reported::Aborted(EndReason::FAILED)), late + minute).unwrap();
    assert_eq!(attempt.held_until, Some(late + minute + RETURNS));
}

#[test]
fn who_left_may_return_with_the_servers_token_after_their_own_has_ended() {
    let long = 7 * 3600;
    let left = told(&[joined(10)]).with_report(&left(10, long), at(long)).unwrap();
    let returns = |seconds| left.may_return(at(long) + Duration::from_secs(seconds));
    assert_eq!([returns(0), returns(899), returns(900)], [true, true, false]);
}

#[test]
fn a_list_of_more_tracks_than_are_kept_says_the_same_each_time() {
    let many: Vec<_> = (0..40).map(|number| format!("TR_{number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let connection = told(&[joined(10), present(10, 60, &many)]);
    assert!(connection.with_report(&present(10, 120, &many), at(3600)).is_none());
}

#[test]
fn no_more_tracks_are_kept_than_there_is_room_for() {
    let many: Vec<_> = (0..40).map(|number| published(10, 20 + number, &format!("TR_{number}"))).collect();
    let reports: Vec<_> = [joined(10)].into_iter().chain(many).collect();
    let participant = told(&reports).participant.unwrap();
    assert_eq!(participant.tracks.len(), TRACKS_MAX);
    assert!(participant.tracks.contains_key("TR_39"));
}
