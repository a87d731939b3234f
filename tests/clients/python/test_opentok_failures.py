"""When OpenTok fails, Greenroom answers within ten seconds and tells callers to try again later."""

import time

import pytest
from opentok_server import opentok_server

from greenroom import OPENTOK_API_KEY, OPENTOK_API_SECRET, client, new_event, organiser, serving


def drop(handler):
    handler.close_connection = True


def hang(handler):
    drop(handler)
    handler.opentok.stopped.wait()


# By name: how OpenTok fails, and how many requests Greenroom sends to it.
FAILURES = {
    "refuses our credentials": (lambda handler: handler.answer(403, {"code": 403, "message": "Invalid token"}), 1),
    "has a fault": (lambda handler: handler.answer(500, {"message": "oops"}), 2),
    "answers garbage": (lambda handler: handler.send(200, b"\xff<html>", "text/html"), 1),
    "answers other JSON": (lambda handler: handler.answer(200, {"session": 1}), 1),
    "answers without an id": (lambda handler: handler.answer(200, []), 1),
    "drops the connection": (drop, 2),
    "hangs": (hang, 1),
}


def check_unavailable(answer):
    assert answer.headers["Content-Type"] == "application/json"
    assert int(answer.headers["Retry-After"]) > 0
    assert list(answer.json()) == ["detail"]
    for secret in [OPENTOK_API_KEY, OPENTOK_API_SECRET]:
        assert secret not in answer.text


@pytest.mark.parametrize("name", FAILURES)
def test_callers_are_told_to_try_again_later_when_opentok(opentok, online, name):
    admin = organiser(online)
    event = new_event(admin)["id"]
    opentok.failure, attempts = FAILURES[name]
    calls = [
        lambda: admin.post("/sessions/", {"event": event, "language": "English"}, 503),
        lambda: client(online).post("/networktestsessions/", None, 503),
    ]
    for call in calls:
        began = time.monotonic()
        check_unavailable(call())
        assert time.monotonic() - began < 10
        assert len(opentok.take()) == attempts
    opentok.failure = None
    assert admin.get(f"/sessions/?event={event}")["count"] == 0
    # After a failure, the next request succeeds.
    admin.create("/sessions/", event=event, language="English")


@pytest.mark.parametrize("name", FAILURES)
def test_lists_of_archives_are_unavailable_when_opentok(opentok, online, name):
    admin = organiser(online)
    event = new_event(admin)["id"]
    session = admin.create("/sessions/", event=event, language="English")["id"]
    opentok.take()
    opentok.failure, attempts = FAILURES[name]
    for path in [f"/sessions/{session}/archives/", f"/events/{event}/archives/"]:
        began = time.monotonic()
        check_unavailable(admin.request("GET", path, status=503))
        assert time.monotonic() - began < 10
        assert len(opentok.take()) == attempts


def test_a_session_keeps_its_id_when_opentok_does_not_make_another(opentok, online):
    admin = organiser(online)
    session = admin.create("/sessions/", event=new_event(admin)["id"], language="English")
    opentok.failure, _ = FAILURES["has a fault"]
    path = f"/sessions/{session['id']}/"
    check_unavailable(admin.request("PATCH", path, {"mode": "relayed", "archive": False}, 503))
    assert admin.get(path) == session


def test_callers_are_told_to_try_again_later_when_nobody_listens():
    with opentok_server(OPENTOK_API_KEY) as (_, address):
        pass
    with serving(VIDEO_PROVIDER="opentok", OPENTOK_API_URL=address) as url:
        check_unavailable(client(url).post("/networktestsessions/", None, 503))
