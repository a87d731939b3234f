"""Fixtures: the servers, and events on them."""

import os

import pytest
from stage import Meeting, started


@pytest.fixture(scope="session")
def stage():
    with started() as stage:
        yield stage


@pytest.fixture
def meeting(stage):
    """An event of its own. Whoever is still in its room leaves when the test is over."""
    meeting = Meeting(stage)
    yield meeting
    meeting.end()


def pytest_sessionfinish(session, exitstatus):
    session.config.exit_status = int(exitstatus)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """Ends the process at once, when everything is printed and the servers are stopped. The client has threads of its
    own, and where one calls Python while that ends by itself, the process is aborted."""
    if hasattr(config, "exit_status"):
        config.get_terminal_writer().flush()
        os._exit(config.exit_status)
