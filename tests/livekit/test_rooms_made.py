"""A media server that makes no rooms by itself: what Greenroom makes opens, and what it deletes is shut for good."""

import pytest
from participant import REMOVED, ROOM_DELETED, until
from stage import Meeting, started

STRICT = {"room": {"auto_create": False}}


@pytest.fixture(scope="module")
def strict():
    with started(config=STRICT, LIVEKIT_ROOMS="made") as stage:
        yield stage


def test_a_deleted_event_kills_every_token(strict):
    meeting = Meeting(strict)
    interpreter, guest = meeting.join("interpreter"), meeting.join("participant")
    interpreter.publish()
    guest.hears()
    meeting.delete(f"/events/{meeting.event}/")
    assert {interpreter.put_out(), guest.put_out()} <= {REMOVED, ROOM_DELETED}
    until("no room", lambda: meeting.room not in strict.livekit.rooms())
    assert [strict.livekit.judge(one.token) for one in (interpreter, guest)] == [404, 404]


def test_a_network_test_opens(strict):
    ticket = strict.app.create("/networktestsessions/")["livekit"]
    assert strict.livekit.judge(ticket["token"]) == 200


def test_a_deployment_that_makes_no_rooms_opens_none():
    with started(config=STRICT) as lax:
        ticket = lax.app.create("/networktestsessions/")["livekit"]
        assert lax.livekit.judge(ticket["token"]) == 404
