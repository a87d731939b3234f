"""Webhooks that are lost, late, come twice or in another order."""

import time

from participant import Lurker, until
from stage import RECONCILED, identity
from webhooks import PATH


def test_reconciling_mends_what_lost_webhooks_left(meeting):
    leaver, back, lurking = meeting.join("participant"), meeting.banned(), meeting.banned()
    meeting.answered(leaver, "participant_joined")
    with meeting.stage.webhooks.losing():
        interpreter = meeting.join("interpreter")
        interpreter.publish()
        leaver.leave()
        lurker = Lurker(lurking.url, lurking.token).connect()
        meeting.keeps_out(back, RECONCILED)
        until("the lurker out", lambda: lurker.is_out, RECONCILED)
        until("connected", lambda: meeting.state(interpreter) == ("connected", None), RECONCILED)
        until("publishing", lambda: meeting.entry(interpreter)["publishing"], RECONCILED)
        until("lost", lambda: meeting.state(leaver) == ("ended", "lost"), RECONCILED)
        assert meeting.listed() == meeting.present() == {identity(interpreter.token)}
        assert meeting.entries().keys() == {identity(interpreter.token)}


def test_who_left_before_a_webhook_was_lost_is_connected_again(meeting):
    guest = meeting.join("participant")
    meeting.answered(guest, "participant_joined")
    guest.leave()
    until("left", lambda: meeting.state(guest) == ("ended", "left"))
    with meeting.stage.webhooks.losing():
        back = meeting.back(guest)
        until("connected", lambda: meeting.state(back) == ("connected", None), RECONCILED)


def test_webhooks_that_come_twice_count_once(meeting):
    with meeting.stage.webhooks.doubling():
        interpreter, guest = meeting.join("interpreter"), meeting.join("participant")
        interpreter.publish()
        until("publishing", lambda: (entry := meeting.entry(interpreter)) and entry["publishing"])
        until("connected", lambda: meeting.state(guest) == ("connected", None))
        guest.leave()
        until("left", lambda: meeting.state(guest) == ("ended", "left"))
        assert meeting.state(interpreter) == ("connected", None)
        assert meeting.listed() == {identity(interpreter.token)}
        twice = [len(webhook.answers) for webhook in meeting.stage.webhooks.of(identity(guest.token))]
    assert twice == [2, 2]


def kept_of(meeting, kept):
    return [webhook for webhook in kept if webhook.room == meeting.room]


def test_the_order_of_webhooks_makes_no_difference(meeting):
    webhooks = meeting.stage.webhooks
    with webhooks.keeping() as kept:
        interpreter, guest = meeting.join("interpreter"), meeting.join("participant")
        sid = interpreter.publish()
        interpreter.unpublish(sid)
        interpreter.publish()
        guest.leave()
        until("seven webhooks", lambda: len(kept_of(meeting, kept)) == 7)
    for webhook in reversed(kept_of(meeting, kept)):
        assert webhooks.deliver(webhook)[0] == 200
    assert meeting.state(guest) == ("ended", "left")
    assert meeting.state(interpreter) == ("connected", None)
    assert meeting.entry(interpreter)["publishing"]
    assert meeting.listed() == {identity(interpreter.token)}


def test_the_end_of_an_old_connection_that_comes_late_ends_no_new_one(meeting):
    webhooks = meeting.stage.webhooks
    guest = meeting.join("participant")
    meeting.answered(guest, "participant_joined")
    with webhooks.keeping() as kept:
        guest.leave()
        left = until("the webhook", lambda: [webhook for webhook in kept if webhook.event == "participant_left"])
    back = meeting.back(guest)
    until("joined", lambda: len([one for one in webhooks.of(guest.identity) if one.answers]) == 2)
    assert webhooks.deliver(left[0])[0] == 200
    assert meeting.state(back) == ("connected", None)


def test_a_held_name_is_put_out_although_webhooks_come_late(meeting):
    guest = meeting.banned()

    def late(webhook):
        time.sleep(0.5)
        return meeting.stage.webhooks.deliver(webhook)

    with meeting.stage.webhooks.ruled(late):
        meeting.keeps_out(guest)


def test_a_webhook_that_the_server_did_not_send_changes_nothing(meeting):
    webhooks = meeting.stage.webhooks
    guest = meeting.join("participant")
    meeting.answered(guest, "participant_joined")
    with webhooks.keeping() as kept:
        guest.leave()
        left = until("the webhook", lambda: kept_of(meeting, kept))[0]
    head, claims, _ = left.headers["Authorization"].split(".")
    for headers, body in [
        ({}, left.body),
        (left.headers, left.body.replace(b"participant_left", b"participant_gone")),
        (left.headers, left.body + b" "),
        ({"Authorization": f"{head}.{claims}."}, left.body),
        ({"Authorization": meeting.stage.livekit.token({})}, left.body),
        ({"Authorization": f"Bearer {guest.token}"}, left.body),
    ]:
        answer = meeting.stage.http.post(meeting.stage.url + PATH, data=body, headers=headers, timeout=20)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid signature."})
    assert meeting.state(guest) == ("connected", None)
    assert webhooks.deliver(left)[0] == 200
    assert meeting.state(guest) == ("ended", "left")
