"""A proxy between a livekit-server and Greenroom, which can lose webhooks, double them, or keep them back."""

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

PATH = "/webhooks/livekit"
# That somebody is out who was in, or who was still connecting.
ENDS = ["participant_left", "participant_connection_aborted"]
PASSED = ["Authorization", "Content-Type"]


@dataclass
class Webhook:
    """A webhook as the server sent it, and how Greenroom answered it: statuses and seconds."""

    headers: dict
    body: bytes
    answers: list = field(default_factory=list)

    def __post_init__(self):
        self.content = json.loads(self.body)
        self.event = self.content["event"]
        self.room = self.content.get("room", {}).get("name")
        participant = self.content.get("participant", {})
        self.identity, self.sid = participant.get("identity"), participant.get("sid")

    def __repr__(self):
        return f"{self.event} {self.identity or self.room} {[status for status, _ in self.answers]}"


class Webhooks:
    """The proxy. Without a rule it passes each webhook on, and the answer back."""

    def __init__(self):
        self.greenroom = None
        self.rule = self.deliver
        self.seen = []
        self.local = threading.local()
        webhooks = self

        class Handler(BaseHTTPRequestHandler):
            # Otherwise each webhook needs a connection.
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                webhook = Webhook({name: self.headers[name] for name in PASSED}, body)
                webhooks.seen.append(webhook)
                status, retry = webhooks.rule(webhook)
                self.send_response(status)
                if retry:
                    self.send_header("Retry-After", retry)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_):
                """A media server that is killed resets its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}{PATH}"

    @contextmanager
    def running(self):
        thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            self.server.server_close()

    # The rules.

    def deliver(self, webhook):
        """Passes it on."""
        if not hasattr(self.local, "http"):
            self.local.http = requests.Session()
            self.local.http.trust_env = False
        began = time.perf_counter()
        try:
            answer = self.local.http.post(self.greenroom + PATH, data=webhook.body, headers=webhook.headers, timeout=20)
        except requests.RequestException:
            webhook.answers.append((None, time.perf_counter() - began))
            return 503, None
        webhook.answers.append((answer.status_code, time.perf_counter() - began))
        return answer.status_code, answer.headers.get("Retry-After")

    @staticmethod
    def lose(_):
        return 200, None

    def double(self, webhook):
        answer = self.deliver(webhook)
        self.deliver(webhook)
        return answer

    @contextmanager
    def ruled(self, rule):
        before, self.rule = self.rule, rule
        try:
            yield
        finally:
            self.rule = before

    @contextmanager
    def losing(self):
        """Loses what comes meanwhile."""
        with self.ruled(self.lose):
            yield

    @contextmanager
    def doubling(self):
        """Passes on twice what comes meanwhile."""
        with self.ruled(self.double):
            yield

    @contextmanager
    def keeping(self):
        """Keeps back what comes meanwhile, in the list that it yields."""
        kept = []

        def keep(webhook):
            kept.append(webhook)
            return 200, None

        with self.ruled(keep):
            yield kept

    # What came.

    def ends(self, identity):
        """The webhooks that somebody is out."""
        return [webhook for webhook in self.of(identity) if webhook.event in ENDS]

    def of(self, identity, event=None):
        """The webhooks about somebody, in the order in which they came."""
        return [webhook for webhook in self.seen if webhook.identity == identity and event in (None, webhook.event)]
