"""Media sessions of a back-end that used OpenVidu, with LiveKit as their media server."""

from urllib.parse import parse_qs, urlsplit

import pytest
from participant import REMOVED, ROOM_DELETED, Participant, until

GONE = {REMOVED, ROOM_DELETED}


class MediaSession:
    """A session that the API of version 2.15 opened."""

    def __init__(self, stage):
        self.stage, self.joined = stage, []
        self.id = self.call("POST", "/api/sessions", {}).json()["id"]

    def call(self, method, path, body=None, status=200):
        answer = self.stage.backend(method, path, body)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer

    def token(self, role):
        return self.call("POST", "/api/tokens", {"session": self.id, "role": role}).json()["token"]

    def connection(self, role):
        """A connection of version 2.32."""
        return self.call("POST", f"{self.path}/connection", {"role": role}).json()

    @property
    def path(self):
        return f"/openvidu/api/sessions/{self.id}"

    def read(self, connection):
        return self.call("GET", f"{self.path}/connection/{connection}").json()

    def join(self, token):
        """Joins with a token as a client reads it: an address and, in its query, what the media server takes."""
        parts = urlsplit(token)
        query = parse_qs(parts.query)
        assert query["sessionId"] == [self.id]
        assert f"{parts.scheme}://{parts.netloc}" == self.stage.livekit.client_url
        participant = Participant(f"{parts.scheme}://{parts.netloc}", query["token"][0]).connect()
        self.joined.append(participant)
        return participant

    def keeps_out(self, participant):
        self.joined.append(self.stage.keeps_out(participant))


@pytest.fixture
def session(stage):
    session = MediaSession(stage)
    yield session
    for participant in session.joined:
        participant.leave()


def test_a_subscriber_hears_a_publisher_until_both_are_put_out(session):
    publisher, subscriber = session.join(session.token("PUBLISHER")), session.join(session.token("SUBSCRIBER"))
    publisher.publish()
    subscriber.hears()
    session.call("DELETE", f"/api/sessions/{session.id}/connection/{subscriber.identity}", status=204)
    assert subscriber.put_out() == REMOVED
    session.keeps_out(subscriber)
    assert not publisher.is_out
    session.call("DELETE", f"/api/sessions/{session.id}", status=204)
    assert publisher.put_out() in GONE
    session.keeps_out(publisher)


def test_a_connection_is_active_while_somebody_is_there(session):
    made = session.connection("PUBLISHER")
    assert (made["status"], made["activeAt"], made["publishers"]) == ("pending", None, None)
    participant = session.join(made["token"])
    assert participant.identity == made["id"]
    until("active", lambda: session.read(made["id"])["status"] == "active")
    assert session.read(made["id"])["activeAt"] >= made["createdAt"]
    participant.publish()
    until("a publisher", lambda: session.read(made["id"])["publishers"])


def test_another_role_changes_what_a_connected_participant_may(session):
    made = session.connection("SUBSCRIBER")
    participant = session.join(made["token"])
    until("active", lambda: session.read(made["id"])["status"] == "active")
    with pytest.raises(TimeoutError):
        participant.publish(limit=1)
    session.call("PATCH", f"{session.path}/connection/{made['id']}", {"role": "PUBLISHER"})
    until("permission", lambda: participant.room.local_participant.permissions.can_publish)
    assert participant.publish()


def test_a_connection_deleted_in_the_later_family_stays_out(session):
    made = session.connection("PUBLISHER")
    participant = session.join(made["token"])
    session.call("DELETE", f"{session.path}/connection/{made['id']}", status=204)
    assert participant.put_out() == REMOVED
    session.keeps_out(participant)
