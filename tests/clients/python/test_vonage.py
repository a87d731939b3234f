"""Vonage Video as the media provider. Greenroom has to send the same requests and make the same tokens as the SDK."""

import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from requests import Response
from requests.adapters import BaseAdapter
from vonage_http_client import Auth, HttpClient
from vonage_video import ArchiveMode, MediaMode, SessionOptions, TokenOptions, TokenRole, Video

from greenroom import client, new_event, organiser, serving
from opentok_server import opentok_server

APPLICATION = "5a4f3f1c-0d6e-4a57-9b8e-2f6f0b1c7d11"
KEY = (Path(__file__).parents[2] / "keys/rsa.pem").read_text()
PUBLIC_KEY = load_pem_private_key(KEY.encode(), None).public_key()
DAY = 24 * 3600


class Recorder(BaseAdapter):
    """Answers the SDK's requests, which would go to Vonage, and records them."""

    def __init__(self):
        super().__init__()
        self.requests = []

    def send(self, request, **_):
        self.requests.append(request)
        answer = Response()
        answer.status_code, answer.request, answer.url = 200, request, request.url
        answer.headers["Content-Type"] = "application/json"
        answer._content = b'[{"session_id":"1_x"}]'
        return answer

    def close(self):
        pass


@pytest.fixture(scope="module")
def recorder():
    return Recorder()


@pytest.fixture(scope="module")
def sdk(recorder):
    http = HttpClient(Auth(application_id=APPLICATION, private_key=KEY))
    http._session.mount("https://", recorder)
    return Video(http)


@pytest.fixture(scope="module")
def vonage():
    with opentok_server(APPLICATION) as (server, address):
        server.address = address
        yield server


@pytest.fixture(scope="module")
def url(vonage):
    settings = {
        "VIDEO_PROVIDER": "vonage",
        "VONAGE_API_URL": vonage.address,
        "VONAGE_APPLICATION_ID": APPLICATION,
        "VONAGE_PRIVATE_KEY": KEY.replace("\n", "\\n"),
    }
    with serving(**settings) as address:
        yield address


def claims(token):
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT"}
    return jwt.decode(token, PUBLIC_KEY, algorithms=["RS256"])


def bearer(header):
    scheme, token = (header.decode() if isinstance(header, bytes) else header).split(" ")
    assert scheme == "Bearer"
    return claims(token)


def joined(url):
    """What each type of login token gets, and a network test."""
    admin = organiser(url)
    event = new_event(admin)["id"]
    admin.create("/sessions/", event=event, language="English")
    for kind in ["participant", "interpreter", "moderator"]:
        login_token = f"vonage-{event}-{kind}"
        admin.create("/logintokens/", event=event, token=login_token, tokenType=kind)
        for session in client(url).create("/rtcsessions/", loginToken=login_token)["sessions"]:
            yield session["tokbox"]
    yield client(url).create("/networktestsessions/")


def test_tokens_say_what_tokens_of_the_sdk_say(url, sdk):
    roles = set()
    for tokbox in joined(url):
        ours = claims(tokbox["sessionToken"])
        options = TokenOptions(
            session_id=tokbox["sessionId"],
            role=TokenRole(ours["role"]),
            connection_data=ours.get("connection_data"),
            exp=ours["exp"],
        )
        theirs = claims(sdk.generate_client_token(options))
        # This SDK calls the subject by another name, and leaves out an empty list. That for Node.js does neither.
        assert (ours.pop("sub"), ours.pop("initial_layout_class_list")) == (theirs.pop("subject"), "")
        assert ours["exp"] - ours["iat"] == DAY
        assert abs(ours["iat"] - time.time()) < 60
        assert ours["jti"] != theirs["jti"]
        for varying in ["iat", "jti"]:
            del ours[varying], theirs[varying]
        assert ours == theirs
        roles.add(ours["role"])
    assert roles == {"subscriber", "publisher", "moderator"}


@pytest.mark.parametrize("location", ["12.34.56.78", None])
@pytest.mark.parametrize(("mode", "archive"), [("routed", True), ("routed", False), ("relayed", False)])
def test_greenroom_requests_sessions_as_the_sdk_does(url, vonage, sdk, recorder, mode, archive, location):
    archive_mode = ArchiveMode.ALWAYS if archive else ArchiveMode.MANUAL
    recorder.requests.clear()
    sdk.create_session(SessionOptions(media_mode=MediaMode(mode), archive_mode=archive_mode, location=location))
    [theirs] = recorder.requests
    form = dict(parse_qsl(theirs.body))
    # The SDK also sends the name that only its callers use.
    form.pop("media_mode", None)

    admin = organiser(url)
    event = new_event(admin, **({"locationHint": location} if location else {}))["id"]
    vonage.take()
    admin.create("/sessions/", event=event, language="x", mode=mode, archive=archive)
    [ours] = vonage.take()
    assert (ours.method, ours.path, ours.form) == (theirs.method, urlsplit(theirs.url).path, form)
    assert ours.headers["content-type"] == theirs.headers["Content-Type"]
    credentials = [bearer(headers["authorization"]) for headers in (ours.headers, theirs.headers)]
    for sent in credentials:
        assert set(sent) == {"application_id", "iat", "exp", "jti"}
        assert (sent["application_id"], sent["exp"] - sent["iat"]) == (APPLICATION, 900)
