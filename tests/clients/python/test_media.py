"""Tests a local server with the unmodified client pyopenvidu 0.1.4."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
from pyopenvidu import (
    OpenViduConnectionDoesNotExistsError,
    OpenViduSessionDoesNotExistsError,
    OpenViduSessionExistsError,
    OpenViduStreamDoesNotExistsError,
)
from pyopenvidu.openvidupublisher import OpenViduPublisher
from requests import HTTPError

ROLES = ["SUBSCRIBER", "PUBLISHER", "MODERATOR"]


def test_a_session_without_properties(openvidu):
    session = openvidu.create_session()
    assert re.fullmatch(r"ses_[A-Za-z0-9]+", session.id)
    assert abs(datetime.now(timezone.utc).replace(tzinfo=None) - session.created_at) < timedelta(minutes=1)
    assert session.media_mode == "ROUTED"
    assert session.is_being_recorded is False
    assert session.connection_count == 0
    assert list(session.connections) == []
    assert openvidu.get_session(session.id) is session


def test_a_session_with_every_property(connect):
    session = connect().create_session(custom_session_id="every_property-2", media_mode="RELAYED")
    assert session.id == "every_property-2"
    seen = connect().get_session("every_property-2")
    assert seen.media_mode == "RELAYED"
    assert seen.created_at == session.created_at


def test_the_custom_id_of_a_live_session_is_taken(openvidu):
    openvidu.create_session("python-taken")
    with pytest.raises(OpenViduSessionExistsError):
        openvidu.create_session("python-taken")


def test_a_race_for_a_custom_id_has_one_winner(connect):
    def attempt(client):
        try:
            return client.create_session("python-raced").id
        except OpenViduSessionExistsError:
            return None

    clients = [connect() for _ in range(8)]
    with ThreadPoolExecutor(len(clients)) as pool:
        ids = list(pool.map(attempt, clients))
    assert sorted(ids, key=str) == [None] * 7 + ["python-raced"]


def test_a_malformed_custom_id_is_a_value_error(openvidu):
    with pytest.raises(ValueError):
        openvidu.create_session("not/allowed")


def test_fetching_tells_whether_anything_has_changed(connect):
    here, there = connect(), connect()
    assert there.fetch() is False
    session = here.create_session()
    assert there.fetch() is True
    assert there.fetch() is False
    seen = there.get_session(session.id)
    assert seen.fetch() is False
    session.generate_token()
    assert seen.fetch() is True
    assert seen.fetch() is False
    seen.close()
    assert here.fetch() is True
    assert here.fetch() is False
    assert not session.is_valid
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        here.get_session(session.id)


def test_sessions_are_listed_in_the_order_they_were_made(connect):
    client = connect()
    made = [client.create_session().id for _ in range(5)]
    listed = [session.id for session in connect().sessions if session.id in made]
    assert listed == made
    assert client.session_count == len(client.sessions)


@pytest.mark.parametrize("role", ROLES)
def test_a_token_appears_as_a_connection(openvidu, role):
    session = openvidu.create_session()
    token = session.generate_token(
        role,
        data="Zoë",
        video_max_recv_bandwidth=1000,
        video_min_recv_bandwidth=0,
        video_max_send_bandwidth=1000,
        video_min_send_bandwidth=0,
        allowed_filters=["GStreamerFilter"],
    )
    parts = parse_qs(urlsplit(token).query)
    assert urlsplit(token).scheme == "wss"
    assert parts["sessionId"] == [session.id]
    assert parts["role"] == [role]
    assert parts["token"][0].startswith("tok_")

    assert session.fetch() is True
    assert session.connection_count == 1
    (connection,) = session.connections
    assert connection.id.startswith("con_")
    assert connection.session_id == session.id
    assert connection.created_at >= session.created_at
    assert connection.token == token
    assert connection.role == role
    assert connection.server_data == "Zoë"
    assert connection.publishers == []
    assert connection.subscribers == []
    assert session.get_connection(connection.id) == connection
    connection.force_unpublish_all_streams()


def test_tokens_are_publishers_without_data_by_default(openvidu):
    session = openvidu.create_session()
    assert session.generate_token() != session.generate_token()
    session.fetch()
    assert [(c.role, c.server_data) for c in session.connections] == [("PUBLISHER", "")] * 2


def test_too_much_data_is_a_value_error(openvidu):
    with pytest.raises(ValueError):
        openvidu.create_session().generate_token(data="x" * 10_001)


def test_disconnecting_ends_one_connection(openvidu):
    session = openvidu.create_session()
    session.generate_token(data="goes")
    session.generate_token(data="stays")
    session.fetch()
    gone, kept = session.connections
    assert gone.server_data == "goes"
    gone.force_disconnect()
    assert session.fetch() is True
    assert [connection.id for connection in session.connections] == [kept.id]
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        session.get_connection(gone.id)
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        gone.force_disconnect()
    session.close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        kept.force_disconnect()


def test_there_are_no_streams_to_unpublish(openvidu):
    session = openvidu.create_session()
    stream = OpenViduPublisher(
        session._session, session.id, {"streamId": "str_unknown", "createdAt": 0, "mediaOptions": {}}
    )
    with pytest.raises(OpenViduStreamDoesNotExistsError):
        stream.force_unpublish()
    session.close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        stream.force_unpublish()


def test_a_session_is_closed_once(connect):
    here, there = connect(), connect()
    session = here.create_session("python-again")
    there.fetch()
    seen, twin = there.get_session(session.id), connect().get_session(session.id)
    session.close()
    assert not session.is_valid
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        session.generate_token()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        twin.generate_token()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        seen.close()
    assert not seen.is_valid
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        twin.fetch()
    assert here.create_session("python-again").connection_count == 0


def test_a_wrong_secret_is_refused(connect, openvidu):
    with pytest.raises(HTTPError) as refused:
        connect("MY")
    assert refused.value.response.status_code == 401

    stranger = connect("MY", initial_fetch=False)
    with pytest.raises(HTTPError) as refused:
        stranger.create_session()
    assert refused.value.response.status_code == 401

    session = openvidu.create_session()
    session._session = stranger._session
    for call in (session.fetch, session.close):
        with pytest.raises(HTTPError) as refused:
            call()
        assert refused.value.response.status_code == 401
    # For a token, the client ignores the status of the answer and reads only the token in its JSON.
    with pytest.raises(KeyError, match="token"):
        session.generate_token()


def test_operations_that_greenroom_does_not_serve_fail(openvidu):
    session = openvidu.create_session()
    session.generate_token()
    session.fetch()
    (connection,) = session.connections
    with pytest.raises(HTTPError) as refused:
        openvidu.get_config()
    assert refused.value.response.status_code == 404
    for call in (session.signal, connection.signal, lambda: session.publish("rtsp://127.0.0.1/camera")):
        with pytest.raises(OpenViduSessionDoesNotExistsError):
            call()
