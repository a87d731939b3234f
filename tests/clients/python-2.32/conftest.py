"""Fixtures for the tests of pyopenvidu 0.2.1."""

import pytest
import requests
from pyopenvidu import OpenVidu

from greenroom import OPENVIDU_SECRET, serving


@pytest.fixture(scope="session")
def url():
    with serving() as url:
        yield url


@pytest.fixture
def connect(url):
    """Makes clients. They have a time limit, because otherwise they would wait for ever."""
    return lambda secret=OPENVIDU_SECRET, **options: OpenVidu(f"{url}/openvidu/api/", secret, timeout=10, **options)


@pytest.fixture
def openvidu(connect):
    return connect()


@pytest.fixture
def request_json(url):
    """Sends a request that the client does not make, and returns the answer's JSON."""

    def request_json(method, path, body=None):
        credentials = ("OPENVIDUAPP", OPENVIDU_SECRET)
        answer = requests.request(method, url + path, json=body, auth=credentials, timeout=10)
        answer.raise_for_status()
        return answer.json()

    return request_json
