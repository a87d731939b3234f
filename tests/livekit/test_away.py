"""A media server that dies or does not answer: what is decided meanwhile is done when it is back."""

import time

from participant import REMOVED, until
from stage import RECONCILED, identity

# How long a request waits for the media server, and how long it takes to be asked again.
WAITED = 4
ASKED_AGAIN = 15


def test_whoever_was_on_a_server_that_died_is_lost_or_comes_back(meeting):
    stage = meeting.stage
    leaver, loyal = meeting.join("participant"), meeting.join("participant")
    for participant in [leaver, loyal]:
        meeting.answered(participant, "participant_joined")
    first = meeting.entry(loyal)["since"]
    stage.livekit.kill()
    leaver.leave()
    stage.restart()
    until("lost", lambda: meeting.state(leaver) == ("ended", "lost"), RECONCILED)
    # Clients connect again by themselves.
    until("back", lambda: meeting.state(loyal) == ("connected", None), RECONCILED)
    assert meeting.entry(loyal)["since"] >= first
    assert meeting.listed() == meeting.present() == {identity(loyal.token)}
    # A token is good on the new server too.
    back = meeting.back(leaver)
    until("connected", lambda: meeting.state(back) == ("connected", None))


def test_terminations_while_the_server_is_away_are_done_later(meeting):
    stage = meeting.stage
    removed, terminated = meeting.join("participant"), meeting.join("participant")
    for participant in [removed, terminated]:
        meeting.answered(participant, "participant_joined")
    stage.livekit.kill()
    try:
        assert meeting.remove(removed) == 202
        status, _ = meeting.terminate(terminated)
        assert status == 202
    finally:
        for participant in [removed, terminated]:
            participant.leave()
        stage.restart()
    # The names are held although nobody could be told.
    for participant in [removed, terminated]:
        meeting.keeps_out(participant)
    until("nobody", lambda: not meeting.entries(), RECONCILED)


def test_an_event_that_is_deleted_while_the_server_is_away_is_over(meeting):
    stage = meeting.stage
    guest = meeting.join("participant")
    meeting.answered(guest, "participant_joined")
    stage.livekit.kill()
    try:
        meeting.delete(f"/events/{meeting.event}/")
    finally:
        guest.leave()
        stage.restart()
    meeting.keeps_out(guest)
    until("an empty room", lambda: not meeting.present())


def test_a_server_that_does_not_answer_is_not_waited_for(meeting):
    guest, other = meeting.join("participant"), meeting.join("participant")
    for participant in [guest, other]:
        meeting.answered(participant, "participant_joined")
    with meeting.stage.livekit.stopped():
        began = time.monotonic()
        assert meeting.remove(guest) == 202
        assert time.monotonic() - began < WAITED
        assert meeting.listed() >= {identity(other.token)}
    assert guest.put_out(ASKED_AGAIN) == REMOVED
    until("off the list", lambda: meeting.listed() == {identity(other.token)}, RECONCILED)
    assert meeting.state(guest) == ("ended", "terminated")
    meeting.keeps_out(guest)
    assert not other.is_out
