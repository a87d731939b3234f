"""A livekit-server of one's own on loopback: its own ports, its own key, and SIGKILL at the end."""

import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import jwt
import requests

ROOT = Path(__file__).parents[2]
BINARY = os.environ.get("LIVEKIT_SERVER") or ROOT / "target/ci/livekit/server"
# Every server of a run writes to it.
LOG = ROOT / "target/ci/livekit/server.log"
START_LIMIT = 20
KEY = "local-key"
SECRET = "the secret of a livekit-server that lives for one run"

# JSON is YAML. Without a Redis the server is alone.
CONFIG = {
    "bind_addresses": ["127.0.0.1"],
    "rtc": {
        "tcp_port": 0,
        "use_external_ip": False,
        "node_ip": "127.0.0.1",
        "enable_loopback_candidate": True,
        "interfaces": {"includes": ["lo"]},
    },
    "keys": {KEY: SECRET},
    "webhook": {"api_key": KEY},
    "logging": {"level": "info"},
}


def free_port(kind):
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class LiveKitServer:
    """A server with these settings more, which can be killed and started again at the same address."""

    def __init__(self, **config):
        port = free_port(socket.SOCK_STREAM)
        self.url, self.udp_port = f"http://127.0.0.1:{port}", free_port(socket.SOCK_DGRAM)
        # Where clients connect.
        self.client_url = self.url.replace("http://", "ws://")
        self.config = {**CONFIG, **config, "port": port, "rtc": {**CONFIG["rtc"], "udp_port": self.udp_port}}
        self.http = requests.Session()
        self.http.trust_env = False
        self.process = None

    def start(self, webhooks):
        """Starts the server, which sends its webhooks to this address, and waits until it answers."""
        config = {**self.config, "webhook": {"api_key": KEY, "urls": [webhooks]}}
        LOG.parent.mkdir(parents=True, exist_ok=True)
        with LOG.open("ab") as log, tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(config, file)
            file.flush()
            command = [BINARY, "--config", file.name]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            # The file is gone afterwards.
            self.wait()

    def wait(self):
        deadline = time.monotonic() + START_LIMIT
        while not self.answers():
            assert self.process.poll() is None, f"{BINARY} ended; {LOG} says why"
            assert time.monotonic() < deadline, f"{BINARY} does not answer; {LOG} says why"
            time.sleep(0.02)

    def answers(self):
        try:
            return self.http.get(self.url, timeout=1).text == "OK"
        except requests.RequestException:
            return False

    def kill(self):
        """Ends the server at once. When it is told to end, it waits for people to leave."""
        if self.process:
            self.process.kill()
            self.process.wait()

    @staticmethod
    def token(grant, name=""):
        """A token of the server's key for a minute."""
        now = int(time.time())
        return jwt.encode({"iss": KEY, "sub": name, "nbf": now, "exp": now + 60, "video": grant}, SECRET)

    @contextmanager
    def stopped(self):
        """The server is there meanwhile and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def call(self, method, grant, body, token=None):
        """The answer to a call of the server's API with this grant, or with a participant's token."""
        answer = self.http.post(
            f"{self.url}/twirp/livekit.RoomService/{method}",
            json=body,
            headers={"Authorization": f"Bearer {token or self.token(grant)}"},
            timeout=5,
        )
        return answer.status_code, answer.json()

    def participants(self, room):
        """Who is in a room. A room that does not exist is empty."""
        status, answer = self.call("ListParticipants", {"roomAdmin": True, "room": room}, {"room": room})
        assert status == 200, (status, answer)
        return answer["participants"]

    def rooms(self):
        """The names of all rooms."""
        status, answer = self.call("ListRooms", {"roomList": True}, {})
        assert status == 200, (status, answer)
        return {room["name"] for room in answer["rooms"]}

    def remove(self, room, identity):
        """Puts somebody out without Greenroom."""
        grant = {"roomAdmin": True, "room": room}
        return self.call("RemoveParticipant", grant, {"room": room, "identity": identity})

    def judge(self, token):
        """The status with which the server answers somebody who would join with this token."""
        return self.http.get(f"{self.url}/rtc/validate", params={"access_token": token}, timeout=5).status_code
