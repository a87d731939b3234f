"""Tests the API below /openvidu/api on a local server with the unmodified client pyopenvidu 0.2.1.

This client never asks for pending connections. So what it fetches has none, and a session only has those that
this client itself has created since.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from copy import copy
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
PENDING = "?pendingConnections=true"


def test_a_session_without_properties(openvidu):
    session = openvidu.create_session()
    assert re.fullmatch(r"ses_[A-Za-z0-9]+", session.id)
    assert abs(datetime.now(timezone.utc).replace(tzinfo=None) - session.created_at) < timedelta(minutes=1)
    assert session.media_mode == "ROUTED"
    assert session.is_being_recorded is False
    assert session.connections == []
    assert session.is_valid
    assert openvidu.get_session(session.id) is session
    # The answers to creating and to fetching are the same.
    assert session.fetch() is False


def test_a_session_with_every_property(connect):
    session = connect().create_session(custom_session_id="every_property-3", media_mode="RELAYED")
    assert session.id == "every_property-3"
    seen = connect().get_session("every_property-3")
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
    for client in (here, there):
        assert client.fetch() is True
        assert client.fetch() is False
    seen = there.get_session(session.id)
    assert seen.fetch() is False
    # Nobody joins by the making of a connection.
    session.create_webrtc_connection()
    assert seen.fetch() is False
    seen.close()
    assert here.fetch() is True
    assert here.fetch() is False
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        here.get_session(session.id)


def test_sessions_are_listed_in_the_order_they_were_made(connect):
    client = connect()
    made = [client.create_session().id for _ in range(5)]
    listed = [session.id for session in connect().sessions if session.id in made]
    assert listed == made
    assert client.session_count == len(client.sessions)


@pytest.mark.parametrize("role", ROLES)
def test_a_connection_with_every_property(openvidu, url, role):
    session = openvidu.create_session()
    options = {
        "videoMaxRecvBandwidth": 1000,
        "videoMinRecvBandwidth": 0,
        "videoMaxSendBandwidth": 900,
        "videoMinSendBandwidth": 100,
        "allowedFilters": ["GStreamerFilter", "ZBarFilter"],
    }
    connection = session.create_webrtc_connection(
        role,
        data="Zoë",
        video_max_recv_bandwidth=1000,
        video_min_recv_bandwidth=0,
        video_max_send_bandwidth=900,
        video_min_send_bandwidth=100,
        allowed_filters=["GStreamerFilter", "ZBarFilter"],
    )
    assert re.fullmatch(r"con_[A-Za-z0-9]+", connection.id)
    assert connection.type == "WEBRTC"
    assert connection.session_id == session.id
    assert connection.created_at >= session.created_at
    assert connection.role == role
    assert connection.server_data == "Zoë"
    assert connection.kurento_options == options
    assert (connection.active_at, connection.platform, connection.client_data) == (None, None, None)
    assert (connection.publishers, connection.subscribers) == ([], [])

    token = urlsplit(connection.token)
    assert (token.scheme, token.netloc) == ("wss", urlsplit(url).netloc)
    query = parse_qs(token.query, strict_parsing=True)
    assert list(query) == ["sessionId", "token"]
    assert query["sessionId"] == [session.id]
    assert re.fullmatch(r"tok_[A-Za-z0-9]+", query["token"][0])

    # The answers to creating and to fetching are the same.
    assert connection.fetch() is False
    assert session.connections == [connection]
    assert session.get_connection(connection.id) is connection
    connection.force_unpublish_all_streams()
    connection.force_disconnect()


def test_a_connection_without_properties(openvidu):
    session = openvidu.create_session()
    first, second = session.create_webrtc_connection(), session.create_webrtc_connection()
    assert (first.role, first.server_data, first.kurento_options) == ("PUBLISHER", "", None)
    assert first.id != second.id and first.token != second.token
    assert session.connection_count == 2


def test_fetching_a_connection_tells_whether_it_has_changed(openvidu, request_json):
    session = openvidu.create_session()
    connection = session.create_webrtc_connection(data="first")
    path = f"/openvidu/api/sessions/{session.id}/connection/{connection.id}"
    request_json("PATCH", path, {"role": "MODERATOR", "data": "second"})
    token = connection.token
    assert connection.fetch() is True
    assert connection.fetch() is False
    assert (connection.role, connection.server_data, connection.token) == ("MODERATOR", "first", token)


def test_what_is_not_allowed_is_a_value_error(openvidu):
    session = openvidu.create_session()
    for wrong in ({"data": "x" * 10_001}, {"video_max_recv_bandwidth": "fast"}, {"allowed_filters": "none"}):
        with pytest.raises(ValueError):
            session.create_webrtc_connection(**wrong)
    with pytest.raises(ValueError):
        session.create_ipcam_connection("ftp://camera.example.com/1")


def test_an_ip_camera_needs_a_media_server(openvidu, request_json):
    session = openvidu.create_session()
    # The client ignores the status 501 and looks for a connection in the answer.
    with pytest.raises(KeyError, match="id"):
        session.create_ipcam_connection("rtsp://camera.example.com/1", "Zoë", True, True, 1000)
    assert request_json("GET", f"/openvidu/api/sessions/{session.id}{PENDING}")["connections"]["content"] == []


def test_disconnecting_ends_one_connection(openvidu, request_json):
    session = openvidu.create_session()
    gone, kept = session.create_webrtc_connection(), session.create_webrtc_connection()
    twin = copy(gone)
    gone.force_disconnect()
    assert not gone.is_valid
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        twin.force_disconnect()
    listed = request_json("GET", f"/openvidu/api/sessions/{session.id}/connection")["content"]
    assert [connection["id"] for connection in listed] == [kept.id]
    session.close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        kept.force_disconnect()


def test_fetching_a_connection_that_has_ended_fails(connect, openvidu):
    session = openvidu.create_session()
    gone, lost = session.create_webrtc_connection(), session.create_webrtc_connection()
    copy(gone).force_disconnect()
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        gone.fetch()
    connect().get_session(session.id).close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        lost.fetch()
    assert not gone.is_valid and not lost.is_valid


def test_there_are_no_streams_to_unpublish(openvidu):
    session = openvidu.create_session()
    stream = OpenViduPublisher(session._session, session.id, {"streamId": "str_unknown", "createdAt": 0})
    with pytest.raises(OpenViduStreamDoesNotExistsError):
        stream.force_unpublish()
    session.close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        stream.force_unpublish()


def test_a_session_is_closed_once(connect):
    here = connect()
    session = here.create_session("python-again")
    seen, twin = connect().get_session(session.id), connect().get_session(session.id)
    session.close()
    assert not session.is_valid
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        session.create_webrtc_connection()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        twin.create_webrtc_connection()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        twin.fetch()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        seen.close()
    assert not seen.is_valid and not twin.is_valid
    assert here.create_session("python-again").connection_count == 0


def test_signals_reach_nobody(openvidu):
    session = openvidu.create_session()
    connection = session.create_webrtc_connection()
    # OpenVidu answers so while no participant is connected. A session that the client has read this answer for is no
    # longer valid for it.
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        copy(session).signal("chat", "hello")
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        copy(session).signal("chat", "hello", [connection])
    with pytest.raises(OpenViduConnectionDoesNotExistsError):
        connection.signal("chat", "hello")
    with pytest.raises(ValueError):
        session.signal(7)
    twin = copy(session)
    session.close()
    with pytest.raises(OpenViduSessionDoesNotExistsError):
        twin.signal("chat", "hello")


def test_the_configuration(openvidu, url):
    config = openvidu.get_config()
    assert config["VERSION"] == "2.32.2"
    assert config["DOMAIN_OR_PUBLIC_IP"] == urlsplit(url).hostname
    assert config["HTTPS_PORT"] == urlsplit(url).port
    assert config["OPENVIDU_PUBLICURL"] == url
    assert [config[name] for name in ("OPENVIDU_CDR", "OPENVIDU_RECORDING", "OPENVIDU_WEBHOOK")] == [False] * 3


def test_a_session_below_api_is_the_same(connect, request_json):
    made = request_json("POST", "/api/sessions", {"mediaMode": "RELAYED", "customSessionId": "python-from_api"})
    session = connect().get_session("python-from_api")
    assert session.media_mode == "RELAYED"
    assert session.created_at == datetime.fromtimestamp(made["createdAt"] / 1000, timezone.utc).replace(tzinfo=None)
    with pytest.raises(OpenViduSessionExistsError):
        connect().create_session("python-from_api")

    connection = session.create_webrtc_connection("SUBSCRIBER", "Zoë")
    (listed,) = request_json("GET", f"/api/sessions/{session.id}")["connections"]["content"]
    assert (listed["connectionId"], listed["token"]) == (connection.id, connection.token)
    assert (listed["role"], listed["serverData"]) == ("SUBSCRIBER", "Zoë")
    session.close()
    with pytest.raises(HTTPError, match="404"):
        request_json("GET", f"/api/sessions/{session.id}")


def test_a_wrong_secret_is_refused(connect, openvidu):
    with pytest.raises(HTTPError, match="401"):
        connect("MY")

    stranger = connect("MY", initial_fetch=False)
    session = openvidu.create_session()
    connection = session.create_webrtc_connection()
    session._session = connection._session = stranger._session
    calls = [stranger.create_session, stranger.get_config, session.fetch, session.signal, session.close]
    for call in [*calls, connection.fetch, connection.signal, connection.force_disconnect]:
        with pytest.raises(HTTPError, match="401"):
            call()
    # The client ignores the status 401 here and looks for a connection in the answer.
    with pytest.raises(KeyError, match="id"):
        session.create_webrtc_connection()
