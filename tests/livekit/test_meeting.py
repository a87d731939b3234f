"""An event from its making to its end, with clients that hear each other."""

import pytest
from livekit import rtc
from participant import REMOVED, ROOM_DELETED, Lurker, until
from stage import identity

GONE = {REMOVED, ROOM_DELETED}
# The client waits for an answer that does not come, for this many seconds.
NO_ANSWER = 1


@pytest.fixture
def speaking(meeting):
    """An interpreter who publishes and a guest who listens."""
    interpreter, guest = meeting.join("interpreter"), meeting.join("participant")
    interpreter.publish()
    guest.hears()
    return meeting, interpreter, guest


def connected(meeting, *participants):
    """Waits until these are listed as connected, and returns their entries."""
    names = [identity(participant.token) for participant in participants]
    entries = until("connected", lambda: (found := meeting.entries("connected")).keys() >= set(names) and found)
    return [entries[name] for name in names]


def is_kept_out(meeting, participant):
    """Comes back with the old token, is put out, and leaves no trace in the lists."""
    meeting.keeps_out(participant)
    assert identity(participant.token) not in meeting.entries()


def test_a_guest_hears_the_interpreter(speaking):
    meeting, interpreter, guest = speaking
    spoken, listened = connected(meeting, interpreter, guest)
    until("publishing", lambda: meeting.entry(interpreter)["publishing"])
    assert meeting.entry(guest)["publishing"] is None
    assert {spoken["provider"], listened["provider"]} == {"livekit"}
    assert (spoken["role"], listened["role"]) == ("publisher", "subscriber")
    assert meeting.listed() == meeting.present() == {identity(interpreter.token), identity(guest.token)}


def test_nobody_publishes_who_may_not(speaking):
    meeting, interpreter, guest = speaking
    for participant, source in [
        (guest, rtc.TrackSource.SOURCE_MICROPHONE),
        (interpreter, rtc.TrackSource.SOURCE_CAMERA),
    ]:
        with pytest.raises(TimeoutError):
            participant.publish(source, NO_ANSWER)
    tracks = meeting.tracks()
    assert {name: len(sources) for name, sources in tracks.items()} == {
        identity(interpreter.token): 1,
        identity(guest.token): 0,
    }


def test_publishing_ends_with_the_track(meeting):
    interpreter = meeting.join("interpreter")
    sid = interpreter.publish()
    until("publishing", lambda: meeting.entry(interpreter)["publishing"])
    interpreter.unpublish(sid)
    until("no longer publishing", lambda: meeting.entry(interpreter)["publishing"] is None)
    assert meeting.state(interpreter) == ("connected", None)


def test_an_issued_token_is_issued_and_who_leaves_has_left(meeting):
    guest = meeting.invited("participant")
    assert meeting.state(guest) == ("issued", None)
    guest.connect()
    connected(meeting, guest)
    guest.leave()
    until("left", lambda: meeting.state(guest) == ("ended", "left"))
    assert meeting.entry(guest)["endedBy"]["kind"] == "participant"


def test_who_joins_twice_replaces_themselves(meeting):
    guest = meeting.join("participant")
    connected(meeting, guest)
    again = meeting.back(guest)
    assert guest.put_out() == rtc.DisconnectReason.DUPLICATE_IDENTITY
    # The end of the first connection is not the end of the second.
    webhooks = meeting.stage.webhooks
    until("all webhooks", lambda: len([one for one in webhooks.of(guest.identity) if one.answers]) == 3)
    assert meeting.state(again) == ("connected", None)


def test_a_deleted_connection_is_out_and_stays_out(speaking):
    meeting, interpreter, guest = speaking
    connected(meeting, guest)
    assert meeting.remove(guest) == 200
    # The answer comes when it is done.
    assert identity(guest.token) not in meeting.present()
    assert meeting.listed() == {identity(interpreter.token)}
    assert guest.put_out() == REMOVED
    assert meeting.state(guest) == ("ended", "terminated")
    for _ in range(2):
        is_kept_out(meeting, guest)
    assert meeting.remove(guest) == 404
    assert not interpreter.is_out


def test_a_terminated_connection_is_out_and_stays_out(speaking):
    meeting, _, guest = speaking
    connected(meeting, guest)
    status, entry = meeting.terminate(guest)
    assert (status, entry["state"], entry["reason"]) == (200, "ended", "terminated"), entry
    assert entry["endedBy"]["kind"] == "user"
    assert identity(guest.token) not in meeting.present()
    assert guest.put_out() == REMOVED
    is_kept_out(meeting, guest)
    # Another token of the same login token is somebody else's.
    connected(meeting, meeting.join("participant"))


def test_who_was_terminated_before_they_came_does_not_get_in(meeting):
    guest = meeting.invited("participant")
    assert meeting.remove(guest) == 200
    is_kept_out(meeting, guest)


@pytest.mark.parametrize("what", ["events", "sessions"])
def test_a_deleted_event_or_session_is_an_empty_room(speaking, what):
    meeting, interpreter, guest = speaking
    connected(meeting, interpreter, guest)
    meeting.delete(f"/{what}/{meeting.event if what == 'events' else meeting.session}/")
    assert {interpreter.put_out(), guest.put_out()} <= GONE
    until("an empty room", lambda: not meeting.present())
    for participant in [interpreter, guest]:
        meeting.keeps_out(participant)
    until("no room", lambda: not meeting.present() and meeting.room not in meeting.stage.livekit.rooms())


def test_a_shorter_hold_lets_nobody_in(meeting):
    guest = meeting.join("participant")
    connected(meeting, guest)
    status, _ = meeting.terminate(guest, holdFor=0)
    assert status == 200
    assert guest.put_out() == REMOVED
    is_kept_out(meeting, guest)


def test_two_who_come_back_at_once_are_both_put_out(meeting):
    guest = meeting.banned()
    meeting.back(guest)
    meeting.back(guest)
    ends = meeting.stage.webhooks.ends
    until("three ends", lambda: len({webhook.sid for webhook in ends(identity(guest.token))}) == 3)
    assert not meeting.present()


def test_who_was_put_out_by_a_moderator_may_come_back(meeting):
    moderator, guest = meeting.join("moderator"), meeting.join("participant")
    connected(meeting, guest)
    body = {"room": meeting.room, "identity": guest.identity}
    assert meeting.stage.livekit.call("RemoveParticipant", None, body, moderator.token)[0] == 200
    assert guest.put_out() == REMOVED
    until("the reason", lambda: meeting.state(guest) == ("ended", "removed_by_moderator"))
    back = meeting.back(guest)
    until("connected", lambda: meeting.state(back) == ("connected", None))


def test_the_end_of_a_room_ends_everybody_in_it(meeting):
    guest = meeting.join("participant")
    connected(meeting, guest)
    status, _ = meeting.stage.livekit.call("DeleteRoom", {"roomCreate": True}, {"room": meeting.room})
    assert (status, guest.put_out()) == (200, ROOM_DELETED)
    until("the reason", lambda: meeting.state(guest) == ("ended", "session_ended"))
    # The session goes on.
    back = meeting.back(guest)
    until("connected", lambda: meeting.state(back) == ("connected", None))


def test_an_attempt_without_media_leaves_the_token_issued(meeting):
    guest = meeting.invited("participant")
    Lurker(guest.url, guest.token).connect().leave()
    [webhook] = until("the webhook", lambda: meeting.stage.webhooks.of(identity(guest.token)))
    assert webhook.event == "participant_connection_aborted"
    until("an answer", lambda: webhook.answers)
    assert meeting.entry(guest)["state"] == "issued"
    guest.connect()
    connected(meeting, guest)


def test_strangers_and_rooms_of_others_are_left_alone(speaking):
    meeting, interpreter, guest = speaking
    name = "01234567-89ab-4cde-8f01-23456789abcd"
    recorder = meeting.outsider("recorder", meeting.room).connect()
    others = [meeting.outsider(name, room).connect() for room in ["a room", f"{meeting.room[:-12]}{'a' * 12}"]]
    for outsider in [recorder, *others]:
        webhooks = until("a webhook", lambda: meeting.stage.webhooks.of(outsider.identity, "participant_joined"))
        until("answers", lambda: all(webhook.answers for webhook in webhooks))
    assert meeting.remove(guest) == 200
    assert guest.put_out() == REMOVED
    recorder.hears()
    assert not any(outsider.is_out for outsider in [recorder, *others])
    assert meeting.listed() == {identity(interpreter.token)}


def test_a_name_of_our_form_that_nobody_gave_is_put_out(meeting):
    forged = meeting.outsider("01234567-89ab-4cde-8f01-23456789abcd", meeting.room)
    assert forged.connect().put_out() == REMOVED
