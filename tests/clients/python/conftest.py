"""Fixtures for the tests of the official clients."""

import pytest
from opentok_server import opentok_server
from pyopenvidu import OpenVidu

from greenroom import OPENTOK_API_KEY, OPENVIDU_SECRET, serving


@pytest.fixture(scope="session")
def url():
    with serving() as url:
        yield url


@pytest.fixture
def connect(url):
    """Makes clients. They have a time limit, because otherwise they would wait for ever."""
    return lambda secret=OPENVIDU_SECRET, **options: OpenVidu(f"{url}/", secret, timeout=10, **options)


@pytest.fixture
def openvidu(connect):
    return connect()


@pytest.fixture(scope="session")
def stand_in():
    with opentok_server(OPENTOK_API_KEY) as (server, address):
        server.address = address
        yield server


@pytest.fixture
def opentok(stand_in):
    """The OpenTok stand-in, without earlier requests and without a failure."""
    stand_in.failure = None
    stand_in.take()
    return stand_in


@pytest.fixture(scope="session")
def online(stand_in):
    """The address of a Greenroom server that creates its sessions at the OpenTok stand-in."""
    with serving(VIDEO_PROVIDER="opentok", OPENTOK_API_URL=stand_in.address) as url:
        yield url
