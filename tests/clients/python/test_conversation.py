"""Tests a local server with two clients, bravado and sseclient-py. bravado makes its client from the published
specification, and checks requests and answers against it."""

import base64
import itertools
import json
import threading
from operator import attrgetter
from pathlib import Path

import pytest
import requests
import yaml
from bravado.client import SwaggerClient
from bravado.exception import HTTPForbidden, HTTPNotFound, HTTPUnauthorized
from bravado.requests_client import RequestsClient
from sseclient import SSEClient

from greenroom import organiser

SPECIFICATION = Path(__file__).parents[2] / "specification" / "mongooseim-client.yaml"
NUMBERS = itertools.count(1)
TIMEOUT = 20


class Participant:
    """An account and its client."""

    def __init__(self, url, name, password):
        self.url, self.jid, self.password = url, f"{name}@localhost", password
        http = RequestsClient()
        http.set_basic_auth(url.removeprefix("http://"), self.jid, password)
        specification = yaml.safe_load(SPECIFICATION.read_text())
        specification["host"] = url.removeprefix("http://")
        config = {"also_return_response": False, "use_models": False}
        self.swagger = SwaggerClient.from_spec(specification, http_client=http, config=config)

    def call(self, operation, **parameters):
        """The answer of an operation of the specification, which is named after its path and method."""
        return attrgetter(operation)(self.swagger)(**parameters).response(timeout=TIMEOUT).result

    def write(self, to, body):
        return self.call("messages.post_messages", message={"to": to.jid, "body": body})

    @property
    def authorization(self):
        return "Basic " + base64.b64encode(f"{self.jid}:{self.password}".encode()).decode()

    def events(self, last=None):
        """Opens the event stream. Returns the answer and an iterator over its events."""
        headers = {"Accept": "text/event-stream", "Authorization": self.authorization}
        if last:
            headers["Last-Event-ID"] = last
        answer = requests.get(f"{self.url}/api/sse", headers=headers, stream=True, timeout=TIMEOUT)
        answer.raise_for_status()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        return answer, SSEClient(answer).events()


def participant(url, name):
    name, password = f"{name}-{next(NUMBERS)}", f"password of {name}"
    admin = organiser(url)
    user = admin.create("/users/", username=name, role="partner")["id"]
    admin.post(f"/users/{user}/password_set/", {"newPw": password}, 204)
    return Participant(url, name, password)


@pytest.fixture
def alice(url):
    return participant(url, "alice")


@pytest.fixture
def bob(url):
    return participant(url, "bob")


def test_two_participants_write_to_each_other(alice, bob):
    sent = alice.write(bob, "Hello, Bob!")
    bob.write(alice, "Hello, Alice!")
    for reader, partner in [(alice, bob), (bob, alice)]:
        messages = reader.call("messages.get_messages_with", **{"with": partner.jid})
        assert [message["body"] for message in messages] == ["Hello, Bob!", "Hello, Alice!"]
        assert messages == reader.call("messages.get_messages", limit=2)
        assert messages[0]["id"] == sent["id"]
        assert [messages[0]] == reader.call("messages.get_messages", before=messages[1]["timestamp"])


def test_a_room_from_creation_to_end(alice, bob):
    room = alice.call("rooms.post_rooms", room={"name": "Room", "subject": "Everything"})["id"]
    with pytest.raises(HTTPForbidden):
        bob.call("rooms.get_rooms_id", id=room)
    alice.call("rooms.post_rooms_id_users", id=room, participant={"user": bob.jid})
    assert bob.call("rooms.get_rooms") == [{"id": room, "name": "Room", "subject": "Everything"}]
    details = bob.call("rooms.get_rooms_id", id=room)
    roles = {entry["user"]: entry["role"] for entry in details["participants"]}
    assert roles == {alice.jid: "owner", bob.jid: "member"}
    bob.call("rooms.post_rooms_id_messages", id=room, message={"body": "Here I am"})
    entries = alice.call("rooms.get_rooms_id_messages", id=room)
    assert [entry["type"] for entry in entries] == ["affiliation", "message"]
    alice.call("rooms.delete_rooms_id_users_user", id=room, user=alice.jid)
    bob.call("rooms.delete_rooms_id_users_user", id=room, user=bob.jid)
    with pytest.raises(HTTPNotFound):
        bob.call("rooms.get_rooms_id", id=room)


def test_a_wrong_password_is_refused(url, alice):
    stranger = Participant(url, alice.jid.split("@")[0], "wrong")
    with pytest.raises(HTTPUnauthorized):
        stranger.call("messages.get_messages")


def test_events_arrive_and_are_replayed(alice, bob):
    answer, events = bob.events()
    threading.Thread(target=lambda: [alice.write(bob, text) for text in "123"]).start()
    first = next(events)
    assert (first.event, json.loads(first.data)["body"]) == ("message", "1")
    answer.close()
    answer, events = bob.events(last=first.id)
    assert [json.loads(next(events).data)["body"] for _ in "23"] == ["2", "3"]
    room = alice.call("rooms.post_rooms", room={"name": "Room", "subject": "Everything"})["id"]
    alice.call("rooms.post_rooms_id_users", id=room, participant={"user": bob.jid})
    invited = next(events)
    assert (invited.event, json.loads(invited.data)["affiliation"]) == ("room.message", "member")
    bob.call("rooms.post_rooms_id_messages", id=room, message={"body": "Here I am"})
    told = json.loads(next(events).data)
    assert (told["room"], told["from"], told["body"]) == (room, bob.jid, "Here I am")
    answer.close()
