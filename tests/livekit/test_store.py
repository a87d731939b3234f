"""A store that is away while webhooks come, and a Greenroom that dies: nothing is lost."""

import os
import socket
import subprocess
import threading
from contextlib import contextmanager

import pytest
from livekit_server import free_port
from participant import until
from stage import RECONCILED, Meeting, identity, started

from greenroom import BINARY, ENVIRONMENT, address  # found by `stage`

DOOR_KEY = "key_of_the_store"


class Wire:
    """Leads connections to a port, and can be cut."""

    def __init__(self, port):
        self.to, self.is_cut = ("127.0.0.1", port), False
        self.ends = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut:
                near.close()
                continue
            far = socket.create_connection(self.to)
            self.ends |= {near, far}
            for one, other in [(near, far), (far, near)]:
                threading.Thread(target=self.pump, args=(one, other), daemon=True).start()

    @staticmethod
    def pump(one, other):
        try:
            while data := one.recv(65_536):
                other.sendall(data)
        except OSError:
            pass
        other.close()

    @contextmanager
    def cut(self):
        """Ends all connections and takes no new ones."""
        self.is_cut = True
        for end in self.ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        try:
            yield
        finally:
            self.is_cut = False


class Server:
    """Greenroom with these settings, which can be killed and started again at the same address."""

    def __init__(self, arguments, settings):
        self.command = [BINARY, "serve", "--port", str(free_port(socket.SOCK_STREAM)), *arguments]
        self.environment = {**os.environ, **ENVIRONMENT, **settings}
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        return address(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    @contextmanager
    def serving(self):
        try:
            yield self.start()
        finally:
            self.kill()


@pytest.fixture
def apart(tmp_path):
    """A stage, and the wire to its store, which is in another process."""
    port = free_port(socket.SOCK_STREAM)
    wire = Wire(port)
    access = {
        "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{wire.port}",
        "AWS_ACCESS_KEY_ID": DOOR_KEY,
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "local",
    }

    def serve(**settings):
        return Server(["--data-dir", tmp_path], {**settings, **access}).serving()

    # The other process knows nothing of LiveKit, so it mends nothing.
    store = Server(["--memory", "--dynamodb-port", str(port)], {"LOCAL_DYNAMODB_KEY": DOOR_KEY})
    with store.serving(), started(serve=serve) as stage:
        yield stage, wire


def test_a_webhook_that_the_store_did_not_take_is_sent_again(apart):
    stage, wire = apart
    meeting = Meeting(stage)
    early, late = meeting.join("participant"), meeting.invited("participant")
    until("connected", lambda: meeting.state(early) == ("connected", None))

    def joined():
        return stage.webhooks.of(identity(late.token), "participant_joined")

    with wire.cut():
        late.connect()
        [(status, _)] = until("an answer", lambda: joined() and joined()[0].answers)
        assert status == 503
    until("connected", lambda: meeting.state(late) == ("connected", None))
    # It is the same webhook, sent again.
    assert len({webhook.content["id"] for webhook in joined()}) == 1
    assert [status for webhook in joined() for status, _ in webhook.answers][-1] == 200
    meeting.end()


def test_greenroom_killed_and_started_again_still_holds(tmp_path):
    servers = []

    def serve(**settings):
        servers.append(Server(["--data-dir", tmp_path], settings))
        return servers[0].serving()

    with started(serve=serve) as stage:
        meeting = Meeting(stage)
        guest, leaver, stays = meeting.banned(), meeting.join("participant"), meeting.join("participant")
        meeting.answered(leaver, "participant_joined")
        meeting.answered(stays, "participant_joined")
        servers[0].kill()
        leaver.leave()
        meeting.back(guest)
        until("the guest in the room", lambda: identity(guest.token) in meeting.present())
        servers[0].start()
        until("the guest out", lambda: meeting.present() == {identity(stays.token)}, RECONCILED)
        until("left", lambda: meeting.state(leaver)[0] == "ended", RECONCILED)
        assert meeting.state(stays) == ("connected", None)
        assert meeting.listed() == {identity(stays.token)}
        meeting.end()
