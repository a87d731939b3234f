"""Tells schemathesis about the server under test: which objects exist, how webhooks are signed, and where the contracts
require an answer that its checks do not expect."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import time
import uuid
from functools import cache

import requests
import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, ServerError
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import RejectedPositiveData, UnsupportedMethodResponse

from greenroom import ADMIN_PASSWORD, OPENVIDU_SECRET, STREAMS_WEBHOOK_SECRET, organiser, token_of

URL = os.environ["URL"]
ADMIN = "admin@localhost"
NUMBERS = itertools.count(1)
# Below this number, a text field also takes a number, because all digits of the number are known.
EXACT = 2**53


# Existing objects. An operation that changes or deletes an object gets a new one for each call.


@cache
def admin():
    return organiser(URL)


@cache
def admin_jwt():
    return token_of(URL, "admin", ADMIN_PASSWORD)


# After these operations the admin has to log in again.
ENDS_LOGINS = ("changePassword", "revokeTokens")


def make(path, **fields):
    return admin().create(path, **fields)


def new_user(role="manager"):
    return make("/users/", username=f"user {next(NUMBERS)}", role=role)["id"]


def new_event():
    return make("/events/", name=f"Event {next(NUMBERS)}")["id"]


def new_session():
    return make("/sessions/", event=new_event(), language="German")["id"]


def new_login_token(event=None):
    token = f"login token {next(NUMBERS)}"
    return make("/logintokens/", event=event or kept_event(), token=token, tokenType="interpreter")


kept_user = cache(new_user)
kept_event = cache(new_event)
kept_session = cache(new_session)
kept_login_token = cache(new_login_token)


@cache
def participant():
    """A participant's JID."""
    make("/users/", username="bob", role="manager")
    return "bob@localhost"


def as_account(method, path, body):
    answer = requests.request(method, URL + path, json=body, auth=(ADMIN, ADMIN_PASSWORD), timeout=20)
    answer.raise_for_status()
    return answer


def as_backend(path, body):
    answer = requests.post(URL + path, json=body, auth=("OPENVIDUAPP", OPENVIDU_SECRET), timeout=20)
    answer.raise_for_status()
    return answer.json()


def new_room():
    return as_account("POST", "/api/rooms", {"name": "A room", "subject": ""}).json()["id"]


kept_room = cache(new_room)


def new_media_session():
    return as_backend("/api/sessions", {})["id"]


@cache
def kept_media_session():
    session = new_media_session()
    new_connection(session)
    return session


def new_connection(session):
    """Issues a token and returns the name of its connection, which is the last one in the list."""
    as_backend("/api/tokens", {"session": session})
    listed = requests.get(f"{URL}/api/sessions/{session}", auth=("OPENVIDUAPP", OPENVIDU_SECRET), timeout=20).json()
    return listed["connections"]["content"][-1]["connectionId"]


def new_live_connection():
    """The number of a new connection in the list of live connections."""
    session = new_media_session()
    new_connection(session)
    listed = requests.get(f"{URL}/api/live?stream={session}", headers=admin().http.headers, timeout=20).json()
    return listed["results"][0]["id"]


def new_contact():
    as_account("POST", "/api/contacts", {"jid": participant()})
    return participant()


def path_parameters_of(path, method, operation):
    """Path parameters that name existing objects."""
    reads = method == "get"
    if path.startswith("/api/v2/users/"):
        # Users can change only their own password with the old one.
        return {"id": 1 if operation == "changePassword" else kept_user() if reads else new_user()}
    if path.startswith("/api/v2/events/"):
        return {"id": kept_event() if reads else new_event()}
    if path.startswith("/api/v2/sessions/"):
        return {"id": kept_session() if reads else new_session()}
    if path.startswith("/api/v2/logintokens/"):
        return {"id": kept_login_token()["id"] if reads else new_login_token()["id"]}
    if path.startswith("/api/v2/apitokens/"):
        return {"id": make("/apitokens/", name=f"Token {next(NUMBERS)}")["id"]}
    if path.startswith("/api/live/"):
        return {"id": new_live_connection()}
    if path.startswith("/api/sessions/"):
        session = kept_media_session() if reads or "{connectionId}" in path else new_media_session()
        return {"sessionId": session, "connectionId": new_connection(session), "streamId": "stream"}
    if path.startswith("/openvidu/api/sessions/"):
        session = kept_media_session() if reads or "{connectionId}" in path else new_media_session()
        return {"sessionId": session, "connectionId": new_connection(session), "streamId": "stream"}
    if path.startswith("/v1/vhosts/"):
        session = kept_media_session()
        return {"vhost": "default", "app": "openvidu", "stream": session, "session": new_connection(session)}
    if operation == "createNamedRoom":
        return {"id": str(uuid.uuid4())}
    if path.startswith("/api/rooms/"):
        return {"id": kept_room() if reads else new_room(), "user": participant()}
    if path.startswith("/api/contacts/"):
        return {"jid": new_contact()}
    if path.startswith("/api/messages/"):
        return {"with": participant()}
    return {"file": "start.js"}


# Changes to generated bodies. A schema cannot say which objects exist, which values have to be unique and which fields
# fit together.


def unique(text, longest):
    return f"{str(text)[: longest - 40]} {uuid.uuid4()}"


def user(body):
    if "username" in body:
        body["username"] = unique(body["username"], 150)
    if body.get("creator"):
        body["creator"] = 1


def event(body):
    if "name" in body:
        body["name"] = unique(body["name"], 255)
    if "owner" in body:
        body["owner"] = 1
    if "managers" in body:
        body["managers"] = [kept_user()]


def session(body):
    body["event"] = new_event()
    # Relayed media cannot be archived, but `archive` is true by default.
    if body.get("mode") == "relayed":
        body["archive"] = False


def session_change(body):
    if body.get("mode") == "relayed" or body.get("archive") is not False:
        body["mode"] = "routed"


def login_token(body):
    body["event"] = kept_event()
    login_token_change(body)


def login_token_change(body):
    if "token" in body:
        body["token"] = unique(body["token"], 255)


def password_change(body):
    body["oldPw"] = body["newPw"] = body["newPwRepeat"] = ADMIN_PASSWORD


def password(body):
    # The server refuses common passwords, which many short texts are. It also refuses the name and the mail address of
    # the user, which the schema cannot say.
    body["newPw"] = unique(body["newPw"], 100)


def api_token(body):
    if "name" in body:
        body["name"] = unique(body["name"], 255)


def join(body):
    body["loginToken"] = kept_login_token()["token"]


def log_in(body):
    body.update(username="admin", password=ADMIN_PASSWORD)


def refresh(body):
    body["token"] = token_of(URL, "admin", ADMIN_PASSWORD)


def token_of_session(body):
    body["session"] = kept_media_session()


def connection(body):
    # Which credentials an ICE server needs depends on its URL, and an IP camera is refused. A schema says neither.
    body.pop("customIceServers", None)
    body.pop("type", None)


def token_of_connection(body):
    token_of_session(body)
    connection(body)


def media_session(body):
    # A recording has audio or video. Some of its properties depend on whether it is composed, which the schema does not
    # say.
    recording = body.get("defaultRecordingProperties")
    if isinstance(recording, dict):
        recording["hasAudio"] = True
        for field in ("recordingLayout", "resolution", "frameRate", "shmSize"):
            recording.pop(field, None)
    if body.get("customSessionId"):
        body["customSessionId"] = str(uuid.uuid4())


def name_participant(*names):
    def name(body):
        for field in names:
            body[field] = [participant()] if field == "to_delete" else participant()

    return name


BODIES = {
    "createUser": user, "putUser": user, "patchUser": user,
    "createEvent": event, "putEvent": event, "patchEvent": event,
    "createEventSession": session, "putEventSession": session_change, "patchEventSession": session_change,
    "createLoginToken": login_token, "putLoginToken": login_token_change, "patchLoginToken": login_token_change,
    "createApiToken": api_token, "changePassword": password_change, "setPassword": password,
    "joinEvent": join, "obtainToken": log_in, "refreshToken": refresh, "issueToken": token_of_session,
    "openMediaSession": media_session, "createConnection": connection, "issueOpenViduToken": token_of_connection,
    "sendSignal": token_of_session,
    "sendMessage": name_participant("to"), "addContact": name_participant("jid"),
    "deleteContacts": name_participant("to_delete"), "inviteUser": name_participant("user"),
}


def replace_large_numbers(value):
    """Replaces large numbers. A text field takes a number only if all digits of the number are known."""
    if isinstance(value, dict):
        return {key: replace_large_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [replace_large_numbers(item) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) >= EXACT:
        return 1
    return value


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    is_positive = lambda location: case.meta is None or not case.meta.is_negative_at(location)
    if case.path_parameters and is_positive(ParameterLocation.PATH):
        known = path_parameters_of(case.operation.path, case.method.lower(), operation)
        case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
    if isinstance(case.body, dict) and is_positive(ParameterLocation.BODY):
        body = replace_large_numbers(case.body)
        BODIES.get(operation, lambda _: None)(body)
        case.body = body
    if case.query and is_positive(ParameterLocation.QUERY):
        # A cursor has to come from an earlier answer.
        case.query.pop("cursor", None)
    kwargs["auth"] = sign


@schemathesis.hook
def after_call(context, case, response):
    if case.operation.definition.raw["operationId"] in ENDS_LOGINS:
        admin.cache_clear()
        admin_jwt.cache_clear()


# A signature covers the bytes that are sent, and the admin's token has to be the current one.


def sign(request):
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    if request.headers.get("X-OME-Signature") == "SIGNATURE":
        request.headers["X-OME-Signature"] = encoded(hmac.digest(STREAMS_WEBHOOK_SECRET.encode(), body, "sha1"))
    if request.headers.get("Authorization") == "JWT CURRENT":
        request.headers["Authorization"] = f"JWT {admin_jwt()}"
    if request.headers.get("Authorization") == "Bearer SIGNATURE":
        claims = {"payload_hash": hashlib.sha256(body).hexdigest(), "iat": int(time.time())}
        request.headers["Authorization"] = f"Bearer {jwt(claims, os.environ['PROVIDER_SECRET'])}"
    if request.headers.get("Authorization") == "LIVEKIT SIGNATURE":
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        claims = {"iss": os.environ["LIVEKIT_API_KEY"], "exp": int(time.time()) + 300, "sha256": digest}
        request.headers["Authorization"] = jwt(claims, os.environ["LIVEKIT_API_SECRET"])
    return request


def jwt(claims, secret):
    signed = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return f"{signed}.{encoded(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether this is a real failure. The contracts require some answers that the checks do not expect."""
    path, operation = case.operation.path, case.operation.definition.raw["operationId"]
    if isinstance(failure, AcceptedNegativeData):
        # A media server takes any status but 200 as a sign that Greenroom is out of order
        # (`docs/apis/ovenmediaengine.md`). The media provider also monitors sessions that are not Greenroom's
        # (`docs/apis/opentok.md`).
        # A LiveKit server would only repeat what it is told that Greenroom cannot read (`docs/apis/livekit.md`).
        is_webhook = operation in ("admit", "monitorSession", "noteRoomEvent")
        # In a list, an invalid `limit` or `offset` counts as the default, an invalid `cursor` is ignored, and a filter by
        # a value that no object has finds nothing
        # (`docs/apis/events-api.md`).
        is_list = case.method == "GET" and path.startswith(("/api/v2", "/api/live")) and only_at_query(case)
        # A property that only IP cameras have is not looked at for others, and neither is `record` of a token
        # (`docs/apis/openvidu-2.32.md`).
        is_connection = operation in ("createConnection", "issueOpenViduToken")
        return not (is_webhook or is_list or is_connection)
    if isinstance(failure, UnsupportedMethodResponse):
        # Paths below `/v1` never answer 405, and the server checks credentials first (`docs/apis/ovenmediaengine.md`).
        # It also checks them first where only GET and HEAD need none (`docs/apis/openvidu-2.32.md`).
        return not path.startswith(("/v1", "/openvidu/api/config/openvidu-publicurl"))
    if isinstance(failure, ServerError):
        # What needs media is refused as by an OpenVidu that has it switched off (`docs/apis/openvidu-2.32.md`).
        return not (path.startswith("/openvidu/api/") and response.status_code == 501)
    if isinstance(failure, RejectedPositiveData):
        # No participant is ever connected, so a signal has nobody to go to (`docs/apis/openvidu-2.32.md`).
        return not (operation == "sendSignal" and response.status_code == 406)
    return True


def only_at_query(case):
    others = [location for location in ParameterLocation if location is not ParameterLocation.QUERY]
    return case.meta is not None and not any(case.meta.is_negative_at(location) for location in others)
