"""Local servers for the tests: each on a free loopback port, its store in memory, stopped by its process."""

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
# Names of events are unique.
NUMBERS = itertools.count(1)

ADMIN_PASSWORD = "first-password"
# The one that the documentation of the API shows.
API_TOKEN = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
MOBILE_API_TOKEN = "ee4b9944b09199c62bcf9418ad846dd0e4bbdfc6"
OPENTOK_API_KEY = "45828062"
OPENTOK_API_SECRET = "the secret of an OpenTok project"
# A colon in the secret: the user name ends at the first one.
OPENVIDU_SECRET = "MY:SECRET"
# A colon here too: the token is encoded alone.
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

# A proxy of the machine is none of these tests' business.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


@contextmanager
def serving(**environment):
    """The address of a server with these settings besides those above."""
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
    """The address that the server prints; its output is read to the end, lest it blocks on a full pipe."""
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
    """The session management API, as somebody with this `Authorization`."""

    def __init__(self, url, authorization=None):
        self.url = f"{url}/api/v2"
        self.http = requests.Session()
        # A .netrc of the machine would take the place of the header.
        self.http.trust_env = False
        self.http.headers["Accept"] = "application/json"
        if authorization:
            self.http.headers["Authorization"] = authorization

    def request(self, method, path, body=None, status=200):
        """The answer, which has to have this status. A path may be the absolute address of a `next`."""
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
    """The JWT of a login."""
    login = {"username": username, "password": password}
    return Api(url).post("/token-auth/obtain/", login, 200).json()["token"]


def organiser(url, username="admin", password=ADMIN_PASSWORD):
    return Api(url, f"JWT {token_of(url, username, password)}")


def client(url, token=API_TOKEN):
    return Api(url, f"Token {token}")


def new_event(caller, **fields):
    """An event with a name of its own."""
    return caller.create("/events/", name=f"New event {next(NUMBERS)}", **fields)
