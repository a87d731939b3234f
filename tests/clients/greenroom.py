"""Local servers for the tests. Each has a free loopback port and a store in memory, and stops with its process."""

import base64
import itertools
import json
import os
import re
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path

import requests

BINARY = os.environ.get("GREENROOM") or Path(__file__).parents[2] / "target/debug/greenroom"
LISTENING = re.compile(r"greenroom listening on (http://127\.0\.0\.1:\d+)")
START_LIMIT = 30
STOP_LIMIT = 20
# The names of events have to be unique.
NUMBERS = itertools.count(1)

ADMIN_PASSWORD = "first-password"
# The API token in the API's documentation.
API_TOKEN = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
MOBILE_API_TOKEN = "ee4b9944b09199c62bcf9418ad846dd0e4bbdfc6"
OPENTOK_API_KEY = "45828062"
OPENTOK_API_SECRET = "the secret of an OpenTok project"
# The secret has a colon, to test that the user name ends at the first one.
OPENVIDU_SECRET = "MY:SECRET"
# This token has a colon too, because it is encoded without a user name.
STREAMS_ACCESS_TOKEN = "token:of the operators"
STREAMS_WEBHOOK_SECRET = "secret of the media servers"
SIGNING_KEY = b"the key that JWTs are signed with"

ENVIRONMENT = {
    "ADMIN_PASSWORD": ADMIN_PASSWORD,
    "API_TOKEN": API_TOKEN,
    "MOBILE_API_TOKEN": MOBILE_API_TOKEN,
    "OPENTOK_API_KEY": OPENTOK_API_KEY,
    "OPENTOK_API_SECRET": OPENTOK_API_SECRET,
    "OPENVIDU_SECRET": OPENVIDU_SECRET,
    "STREAMS_ACCESS_TOKEN": STREAMS_ACCESS_TOKEN,
    "STREAMS_WEBHOOK_SECRET": STREAMS_WEBHOOK_SECRET,
    "SIGNING_KEYS": json.dumps([{"kid": "1", "secret": base64.b64encode(SIGNING_KEY).decode()}]),
}

# The tests must not use the machine's proxy.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@contextmanager
def serving(**environment):
    """Starts a server with these settings in addition to `ENVIRONMENT`, yields its address and stops it."""
    server = subprocess.Popen(
        [BINARY, "serve", "--memory", "--port", "0"],
        env={**os.environ, **ENVIRONMENT, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield address(server)
        server.terminate()
        assert server.wait(STOP_LIMIT) is not None
    finally:
        server.kill()
        server.wait()


def address(server):
    """The address that the server prints. A thread reads all output, because a full pipe would block the server."""
    found, known = [], threading.Event()

    def read():
        for line in server.stdout:
            match = LISTENING.fullmatch(line.rstrip("\n"))
            if match:
                found.append(match[1])
                known.set()
        known.set()

    threading.Thread(target=read, daemon=True).start()
    assert known.wait(START_LIMIT) and found, f"{BINARY} printed no address"
    return found[0]


class Api:
    """A client of the session management API that sends this `Authorization` header."""

    def __init__(self, url, authorization=None):
        self.url = f"{url}/api/v2"
        self.http = requests.Session()
        # Otherwise the machine's .netrc would replace the header.
        self.http.trust_env = False
        self.http.headers["Accept"] = "application/json"
        if authorization:
            self.http.headers["Authorization"] = authorization

    def request(self, method, path, body=None, status=200):
        """The answer, which has to have this status. `path` may also be the absolute address in a `next` field."""
        address = path if path.startswith("http://") else self.url + path
        answer = self.http.request(method, address, json=body, timeout=20)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        return answer

    def get(self, path):
        return self.request("GET", path).json()

    def post(self, path, body=None, status=201):
        return self.request("POST", path, body, status)

    def create(self, path, **fields):
        return self.post(path, fields).json()


def token_of(url, username, password):
    """The JWT that a login returns."""
    login = {"username": username, "password": password}
    return Api(url).post("/token-auth/obtain/", login, 200).json()["token"]


def organiser(url, username="admin", password=ADMIN_PASSWORD):
    return Api(url, f"JWT {token_of(url, username, password)}")


def client(url, token=API_TOKEN):
    return Api(url, f"Token {token}")


def new_event(caller, **fields):
    """Creates an event with a unique name."""
    return caller.create("/events/", name=f"New event {next(NUMBERS)}", **fields)
