"""OpenTok as the media provider. Greenroom has to send the same requests and make the same tokens as the SDK."""

import time

import jwt
import pytest
from opentok import ArchiveModes, Client, MediaModes, Roles

import t1
from greenroom import OPENTOK_API_KEY, OPENTOK_API_SECRET, client, new_event, organiser

DAY = 24 * 3600


@pytest.fixture(scope="module")
def sdk():
    """The SDK, used only to make tokens. It sends no requests."""
    return Client(OPENTOK_API_KEY, OPENTOK_API_SECRET, api_url="http://127.0.0.1:9")


def read(token):
    return t1.read(token, OPENTOK_API_KEY, OPENTOK_API_SECRET)


def without(fields, *keys):
    return {key: value for key, value in fields.items() if key not in keys}


# Tokens, and session ids that Greenroom makes without OpenTok.


def joined(url):
    """The session ids and tokens that each type of login token gets, and those of a network test."""
    admin = organiser(url)
    event = new_event(admin)["id"]
    admin.create("/sessions/", event=event, language="English")
    admin.create("/sessions/", event=event, language="Floor", isFloor=True)
    for kind in ["participant", "interpreter", "floor", "remote", "moderator"]:
        login_token = f"opentok-{event}-{kind}"
        admin.create("/logintokens/", event=event, token=login_token, tokenType=kind)
        for session in client(url).create("/rtcsessions/", loginToken=login_token)["sessions"]:
            yield session["tokbox"]
    yield client(url).create("/networktestsessions/")


def test_tokens_have_the_same_fields_as_tokens_of_the_sdk(url, sdk):
    roles = set()
    for tokbox in joined(url):
        session_id, token = tokbox["sessionId"], tokbox["sessionToken"]
        ours = read(token)
        role, expires = Roles(ours["role"]), int(ours["expire_time"])
        theirs = read(sdk.generate_token(session_id, role, expires, ours.get("connection_data"), use_jwt=False))
        assert list(ours) == list(theirs)
        assert without(ours, "create_time", "nonce") == without(theirs, "create_time", "nonce")
        assert int(ours["expire_time"]) - int(ours["create_time"]) == DAY
        assert abs(int(ours["create_time"]) - time.time()) < 60
        assert ours["nonce"].isdecimal()
        roles.add(ours["role"])
    assert roles == {"subscriber", "publisher", "moderator"}


def test_the_sdk_makes_tokens_for_sessions_made_offline(url, sdk):
    for tokbox in joined(url):
        session_id = tokbox["sessionId"]
        assert read(sdk.generate_token(session_id, use_jwt=False))["session_id"] == session_id
        claims = jwt.decode(sdk.generate_token(session_id), OPENTOK_API_SECRET, algorithms=["HS256"])
        assert (claims["session_id"], claims["iss"]) == (session_id, OPENTOK_API_KEY)


# Sessions that OpenTok makes.


def check_credentials(request):
    """Checks the JWT in the request's header, which has to be valid now, and returns its claims."""
    claims = jwt.decode(
        request.headers["x-opentok-auth"],
        OPENTOK_API_SECRET,
        algorithms=["HS256"],
        issuer=OPENTOK_API_KEY,
        options={"require": ["iss", "ist", "iat", "exp", "jti"]},
    )
    assert (claims["ist"], claims["exp"] - claims["iat"]) == ("project", 180)
    assert abs(claims["iat"] - time.time()) < 60
    return claims


@pytest.mark.parametrize("location", ["12.34.56.78", None])
@pytest.mark.parametrize(("mode", "archive"), [("routed", True), ("routed", False), ("relayed", False)])
def test_greenroom_requests_sessions_as_the_sdk_does(opentok, online, mode, archive, location):
    media_mode, archive_mode = MediaModes[mode], ArchiveModes.always if archive else ArchiveModes.manual
    theirs = Client(OPENTOK_API_KEY, OPENTOK_API_SECRET, api_url=opentok.address).create_session(
        media_mode=media_mode, archive_mode=archive_mode, location=location
    )
    (sdk,) = opentok.take()
    assert theirs.session_id

    admin = organiser(online)
    event = new_event(admin, locationHint=location or "")["id"]
    session = admin.create("/sessions/", event=event, language="English", mode=mode, archive=archive)
    (ours,) = opentok.take()
    assert (session["mode"], session["archive"]) == (mode, archive)

    assert (ours.method, ours.path) == (sdk.method, sdk.path) == ("POST", "/session/create")
    assert ours.headers["content-type"] == sdk.headers["content-type"] == "application/x-www-form-urlencoded"
    assert ours.headers["accept"] == "application/json"
    # End-to-end encryption is newer than the API. It is off if a request does not name it.
    expected = sdk.form
    assert expected.pop("e2ee") == "false"
    assert list(ours.form.items()) == list(expected.items())
    claims, their_claims = check_credentials(ours), check_credentials(sdk)
    assert set(claims) == set(their_claims)


def test_a_network_test_is_routed_and_not_recorded(opentok, online):
    answer = client(online).create("/networktestsessions/")
    (request,) = opentok.take()
    assert request.form == {"p2p.preference": "disabled", "archiveMode": "manual"}
    check_credentials(request)
    assert read(answer["sessionToken"])["session_id"] == answer["sessionId"]
    assert answer["sessionId"].startswith("2_")


def test_each_request_has_credentials_of_its_own(opentok, online):
    for _ in range(3):
        client(online).create("/networktestsessions/")
    assert len({check_credentials(request)["jti"] for request in opentok.take()}) == 3


def test_a_location_hint_that_is_no_address_is_not_passed_on(opentok, online):
    admin = organiser(online)
    for hint in ["Zürich", "1.2.3", "::1", "1.2.3.4&archiveMode=always"]:
        event = new_event(admin, locationHint=hint)["id"]
        admin.create("/sessions/", event=event, language="English")
    assert all(set(request.form) == {"p2p.preference", "archiveMode"} for request in opentok.take())


def test_a_change_of_mode_or_archive_makes_a_new_session(opentok, online):
    admin = organiser(online)
    session = admin.create("/sessions/", event=new_event(admin)["id"], language="English")
    path = f"/sessions/{session['id']}/"
    opentok.take()
    kept = admin.request("PATCH", path, {"language": "French"}).json()
    assert (kept["sessionId"], opentok.take()) == (session["sessionId"], [])
    changed = admin.request("PATCH", path, {"mode": "relayed", "archive": False}).json()
    (request,) = opentok.take()
    assert request.form == {"p2p.preference": "enabled", "archiveMode": "manual"}
    assert changed["sessionId"] != session["sessionId"]


# Archives.


def recorded(session_id, number):
    return {
        "id": f"archive-{session_id}-{number}",
        "createdAt": 1_700_000_000_000 + number,
        "duration": 62,
        "name": "",
        "partnerId": int(OPENTOK_API_KEY),
        "projectId": OPENTOK_API_KEY,
        "password": "hidden",
        "reason": "",
        "sessionId": session_id,
        "size": 8_347_554,
        "status": "available",
        "url": "https://archives.example/archive.mp4",
    }


def test_archives_are_those_of_opentok_without_project_and_password(opentok, online):
    admin = organiser(online)
    event = new_event(admin)["id"]
    session = admin.create("/sessions/", event=event, language="English")
    opentok.archives = [recorded(session["sessionId"], number) for number in (3, 2, 1)]
    opentok.take()

    shown = [without(item, "partnerId", "projectId", "password") for item in opentok.archives]
    for path in [f"/sessions/{session['id']}/archives/", f"/events/{event}/archives/"]:
        page = admin.get(path)
        assert page == {"count": 3, "next": None, "previous": None, "results": shown}
    page = admin.get(f"/sessions/{session['id']}/archives/?limit=2")
    assert (page["count"], page["results"]) == (3, shown[:2])
    assert admin.get(page["next"])["results"] == shown[2:]

    for request in opentok.take():
        assert (request.method, request.path) == ("GET", f"/v2/project/{OPENTOK_API_KEY}/archive")
        assert request.query["sessionId"] == session["sessionId"]
        check_credentials(request)


def test_an_event_lists_the_archives_of_all_its_sessions_newest_first(opentok, online):
    admin = organiser(online)
    event = new_event(admin)["id"]
    one, two = [admin.create("/sessions/", event=event, language=language)["sessionId"] for language in ["en", "de"]]
    opentok.archives = [recorded(one, 4), recorded(two, 3), recorded(one, 2), recorded(two, 1)]
    shown = [item["id"] for item in opentok.archives]
    path = f"/events/{event}/archives/"
    assert [item["id"] for item in admin.get(path)["results"]] == shown
    seen = []
    path += "?limit=3"
    while path:
        page = admin.get(path)
        seen, path = seen + [item["id"] for item in page["results"]], page["next"]
    assert seen == shown


def test_archives_stay_when_a_change_makes_a_new_session(opentok, online):
    admin = organiser(online)
    event = new_event(admin)["id"]
    session = admin.create("/sessions/", event=event, language="English")
    opentok.archives = [recorded(session["sessionId"], 1)]
    admin.request("PATCH", f"/sessions/{session['id']}/", {"archive": False})
    for path in [f"/sessions/{session['id']}/archives/", f"/events/{event}/archives/"]:
        assert [item["id"] for item in admin.get(path)["results"]] == [opentok.archives[0]["id"]]
