"""A local server for the tests: on a free loopback port, its store in memory, stopped by its process."""

import os
import re
import subprocess
import threading
from pathlib import Path

import pytest
from pyopenvidu import OpenVidu

BINARY = os.environ.get("GREENROOM") or Path(__file__).parents[3] / "target/debug/greenroom"
LISTENING = re.compile(r"greenroom listening on (http://127\.0\.0\.1:\d+)")
START_LIMIT = 30
STOP_LIMIT = 10

# A colon in the secret: the user name ends at the first one.
SECRET = "MY:SECRET"


@pytest.fixture(scope="session")
def url():
    # A proxy of the machine is none of these tests' business.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
    server = subprocess.Popen(
        [BINARY, "serve", "--memory", "--port", "0"],
        env={**os.environ, "OPENVIDU_SECRET": SECRET},
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


@pytest.fixture
def connect(url):
    """Makes clients; without a time limit the client would wait for ever."""
    return lambda secret=SECRET, **options: OpenVidu(f"{url}/", secret, timeout=10, **options)


@pytest.fixture
def openvidu(connect):
    return connect()
