"""A stand-in for OpenTok's REST API on a free loopback port. It records requests, and tests can make it fail."""

import base64
import itertools
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

JSON = "application/json"


@dataclass
class Request:
    method: str
    path: str
    query: dict
    headers: dict
    body: str

    @property
    def form(self):
        """The form fields in their order."""
        return dict(parse_qsl(self.body, keep_blank_values=True, strict_parsing=True))


class OpenTokServer:
    """The recorded requests and the answers. `failure` is called with the handler, in place of the usual answer."""

    def __init__(self, api_key):
        self.api_key = api_key
        self.requests = []
        self.archives = []
        self.failure = None
        self.made = itertools.count(1)
        # Set when the server stops, so that a hanging request ends.
        self.stopped = threading.Event()

    def take(self):
        """The requests since the last call."""
        requests, self.requests = self.requests, []
        return requests

    def session_id(self):
        """A new id in the format of real session ids."""
        text = f"1~{self.api_key}~~1484883259704~{next(self.made):024}~"
        return f"2_{base64.urlsafe_b64encode(text.encode()).decode().rstrip('=')}"


def handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        opentok = server

        def take(self):
            length = int(self.headers.get("Content-Length") or 0)
            address = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(address.query, keep_blank_values=True))
            body = self.rfile.read(length).decode()
            server.requests.append(Request(self.command, address.path, query, headers, body))
            return address.path, query

        def do_POST(self):
            path, _ = self.take()
            if server.failure:
                server.failure(self)
            elif path == "/session/create":
                self.answer(200, [{"session_id": server.session_id(), "project_id": server.api_key}])
            else:
                self.answer(404, {})

        def do_GET(self):
            path, query = self.take()
            if server.failure:
                server.failure(self)
            elif path == f"/v2/project/{server.api_key}/archive":
                items = [item for item in server.archives if item["sessionId"] == query["sessionId"]]
                offset, count = int(query["offset"]), int(query["count"])
                self.answer(200, {"count": len(items), "items": items[offset : offset + count]})
            else:
                self.answer(404, {})

        def answer(self, status, body):
            self.send(status, json.dumps(body).encode())

        def send(self, status, body, content_type=JSON):
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Logs nothing, because the tests show what fails."""

    return Handler


@contextmanager
def opentok_server(api_key):
    """Starts the server, yields it with its address and stops it."""
    server = OpenTokServer(api_key)
    listener = ThreadingHTTPServer(("127.0.0.1", 0), handler(server))
    # The server must not wait for connections that a client keeps open.
    listener.daemon_threads = True
    thread = threading.Thread(target=listener.serve_forever, daemon=True)
    thread.start()
    try:
        yield server, f"http://127.0.0.1:{listener.server_port}"
    finally:
        server.stopped.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
