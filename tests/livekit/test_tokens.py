"""What the official verifiers and the server itself make of our tokens, and of broken ones."""

import base64
import json
import subprocess
import time
from pathlib import Path

import jwt
import pytest
from livekit import api
from livekit_server import KEY, SECRET
from participant import Participant
from stage import Meeting, identity

HERE = Path(__file__).parent
KINDS = ["participant", "interpreter", "floor", "remote", "moderator"]
SUBSCRIBE = {"canPublish": False, "canSubscribe": True, "canPublishData": False}
PUBLISH = {"canPublish": True, "canSubscribe": True, "canPublishData": True}
INTERPRET = {**PUBLISH, "canPublishSources": ["microphone"]}
MODERATE = {**PUBLISH, "roomAdmin": True}
LANGUAGE = {"participant": SUBSCRIBE, "interpreter": INTERPRET, "remote": SUBSCRIBE, "moderator": MODERATE}
FLOOR = {"interpreter": SUBSCRIBE, "floor": PUBLISH, "remote": PUBLISH, "moderator": MODERATE}


@pytest.fixture(scope="module")
def tokens(stage):
    """A token of every kind for every session that it is good for, and one of a network test."""
    meeting = Meeting(stage)
    stage.organiser.create("/sessions/", event=meeting.event, language="Floor", isFloor=True)
    found = {}
    for kind in KINDS:
        name = f"tokens-{meeting.event}-{kind}"
        stage.organiser.create("/logintokens/", event=meeting.event, token=name, tokenType=kind)
        for session in stage.app.create("/rtcsessions/", loginToken=name)["sessions"]:
            assert session["tokbox"]["sessionToken"] == session["livekit"]["token"]
            assert session["tokbox"]["sessionId"] == session["livekit"]["room"]
            found[kind, "floor" if session["isFloor"] else "language"] = session["livekit"]
    found["test", "network"] = stage.app.create("/networktestsessions/")["livekit"]
    return found


def python_verdict(token):
    try:
        return api.TokenVerifier(KEY, SECRET).verify(token)
    except Exception:
        return None


def node_verdicts(tokens):
    """The claims of each token, or None, as the official verifier for Node.js says."""
    asked = json.dumps({"key": KEY, "secret": SECRET, "tokens": tokens})
    done = subprocess.run(["node", "verify.js"], cwd=HERE, input=asked, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_token_is_taken_by_the_verifiers_and_the_server(stage, tokens):
    verdicts = node_verdicts([ticket["token"] for ticket in tokens.values()])
    assert len(verdicts) == 9
    for (name, ticket), verdict in zip(tokens.items(), verdicts):
        token = ticket["token"]
        assert ticket["url"] == stage.livekit.client_url
        assert verdict["sub"] == python_verdict(token).identity == identity(token), name
        assert verdict["video"]["room"] == python_verdict(token).video.room == ticket["room"]
        assert stage.livekit.judge(token) == 200, name


def test_every_token_grants_what_its_kind_may_and_nothing_else(tokens):
    for (kind, where), ticket in tokens.items():
        claims = jwt.decode(ticket["token"], SECRET, algorithms=["HS256"])
        grants = {"floor": FLOOR, "language": LANGUAGE, "network": {"test": PUBLISH}}[where][kind]
        assert jwt.get_unverified_header(ticket["token"]) == {"alg": "HS256", "typ": "JWT"}
        assert claims.pop("video") == {"room": ticket["room"], "roomJoin": True, **grants}, (kind, where)
        assert claims.keys() == {"iss", "sub", "iat", "nbf", "exp"}
        assert (claims["iss"], claims["nbf"]) == (KEY, claims["iat"])
        assert abs(claims["iat"] - time.time()) < 60
        assert claims["exp"] - claims["iat"] == (3600 if where == "network" else 21_600)


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def broken(token):
    """The token, tampered with in every way that both verifiers and the server have to see."""
    head, body, signature = token.split(".")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    now = int(time.time())
    more = {**claims, "video": {**claims["video"], "canPublish": True, "roomAdmin": True, "roomCreate": True}}
    flipped = ("A" if signature[0] != "A" else "B") + signature[1:]
    return {
        "signature": f"{head}.{body}.{flipped}",
        "no signature": f"{head}.{body}.",
        "grants": f"{head}.{part(more)}.{signature}",
        "alg none": f"{part({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        "another secret": jwt.encode(claims, SECRET[::-1]),
        "another key": jwt.encode({**claims, "iss": "foreign-key"}, SECRET),
        "expired": jwt.encode({**claims, "exp": now - 120}, SECRET),
        "not yet good": jwt.encode({**claims, "nbf": now + 120}, SECRET),
        "cut off": token[:-10],
    }


@pytest.mark.parametrize("name", [("participant", "language"), ("moderator", "floor"), ("test", "network")])
def test_every_broken_token_is_refused_by_the_verifiers_and_the_server(stage, tokens, name):
    cases = broken(tokens[name]["token"])
    verdicts = node_verdicts(list(cases.values()))
    for (case, token), verdict in zip(cases.items(), verdicts):
        assert verdict is None, case
        assert python_verdict(token) is None, case
        assert stage.livekit.judge(token) == 401, case


def test_a_network_test_hears_itself(stage, tokens):
    ticket = tokens["test", "network"]
    participant = Participant(ticket["url"], ticket["token"]).connect()
    assert participant.publish()
    [present] = stage.livekit.participants(ticket["room"])
    assert present["identity"] == participant.identity
    participant.leave()
