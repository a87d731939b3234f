"""Reads the answers that httpie and curl print."""

import json
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict
    body: object


def read(output):
    """The answer that httpie or curl printed."""
    head, _, body = output.replace("\r\n", "\n").partition("\n\n")
    status, *headers = head.split("\n")
    version, status, *_ = status.split(" ")
    assert version == "HTTP/1.1", output
    headers = dict(line.split(": ", 1) for line in headers)
    headers = {name.title(): value for name, value in headers.items()}
    return Answer(int(status), headers, json.loads(body) if body.strip() else None)


def json_body(answer, status):
    """Checks the answer's status and its documented headers, and returns its body."""
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json"), answer
    assert "Date" in answer.headers
    return answer.body
